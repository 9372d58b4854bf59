//! The picture: what usual verdicts look like, and that it is a picture whatever is drawn.

use super::scenes;
use crate::arbitrary::{Values, assessment, values};
use assize_domain::Assessment;
use assize_preferences::{Profile, decide, tree_svg, tree_view};
use proptest::prelude::*;

/// Where a text stands, and how much room it takes in the narrowest of usual fonts.
#[derive(Debug)]
struct Text {
    left: f64,
    right: f64,
    base: f64,
    size: f64,
}

fn draw(assessment: &Assessment, profile: &Profile) -> String {
    tree_svg(&tree_view(assessment, profile), &decide(assessment, profile))
}

/// The value of an attribute in a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name).unwrap_or_else(|| panic!("no {name} in {tag}")).parse().unwrap()
}

fn texts(svg: &str) -> Vec<Text> {
    let text = |line: &str| {
        let content = line.split('>').nth(1).unwrap().split('<').next().unwrap();
        let (x, size) = (number(line, "x"), number(line, "font-size"));
        #[expect(clippy::cast_precision_loss, reason = "short texts")]
        let width = 0.4 * size * content.chars().count() as f64;
        let (left, right) =
            if attribute(line, "text-anchor") == Some("end") { (x - width, x) } else { (x, x + width) };
        Text { left, right, base: number(line, "y"), size }
    };
    svg.lines().filter(|line| line.starts_with("<text")).map(text).collect()
}

/// Whole, of plain shapes, within its edges, and without two texts in one place.
fn check(svg: &str) {
    let lines: Vec<&str> = svg.lines().collect();
    assert!(lines[0].starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && lines[0].ends_with('>'));
    assert!(lines[1].starts_with("<title>") && lines[2].starts_with("<desc>"));
    assert_eq!(lines.last(), Some(&"</svg>"));
    let shapes = ["<rect ", "<line ", "<path ", "<circle ", "<text "];
    for line in &lines[3..lines.len() - 1] {
        assert!(shapes.iter().any(|shape| line.starts_with(shape)), "{line}");
        assert!(!line.contains("NaN") && !line.contains("\"inf") && !line.contains("-inf"), "{line}");
        let (opened, closed) = (line.matches('<').count(), line.matches('>').count());
        assert!(opened == closed && opened == if line.starts_with("<text") { 2 } else { 1 }, "{line}");
    }
    let height = number(lines[0], "height");
    let texts = texts(svg);
    for text in &texts {
        assert!(text.left >= 20.0 && text.right <= 940.0, "{text:?}");
        assert!(text.base - text.size >= 0.0 && text.base <= height, "{text:?}");
    }
    for (place, text) in texts.iter().enumerate() {
        let beside = |other: &&Text| {
            let apart = other.right <= text.left || text.right <= other.left;
            !apart && (other.base - text.base).abs() < 0.8 * text.size.min(other.size)
        };
        assert!(!texts[place + 1..].iter().any(|other| beside(&other)), "{text:?}\n{svg}");
    }
}

#[test]
fn pictures_of_usual_verdicts() {
    let default = scenes::shipped("default");
    let scenes = [
        ("harmful", scenes::harmful()),
        ("harmless", scenes::harmless()),
        ("both", scenes::both()),
        ("reported", scenes::reported()),
    ];
    for (name, scene) in scenes {
        let svg = draw(&scene, &default);
        check(&svg);
        insta::assert_snapshot!(name, svg);
    }
}

#[test]
fn a_title_is_text_and_nothing_else() {
    let title = "<script>alert(\"&\")</script> WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";
    let file = crate::files::complete_but("title", &format!("title = '{title}'"));
    let profile = crate::files::profile("test", &[("test.toml", &file)]);
    let svg = draw(&scenes::harmful(), &profile);
    check(&svg);
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"), "{svg}");
}

proptest! {
    #[test]
    fn whatever_is_drawn_is_a_picture(a in assessment(), v in values()) {
        let profile = v.profile();
        let svg = draw(&a, &profile);
        check(&svg);
        prop_assert_eq!(&svg, &draw(&a, &profile));
        let closed = Values { on_failure: "closed", review: 1.0, block: 1.0, ..v };
        check(&draw(&a, &closed.profile()));
    }

    #[test]
    fn the_published_aggregation_is_drawn_too(a in assessment()) {
        check(&draw(&a, &scenes::shipped("safetyanalyst")));
    }
}
