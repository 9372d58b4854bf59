//! The picture: well-formed, the same for the same comparison, and with everything that it promises.

use super::{compared, private, prompt};
use crate::files;
use assize_domain::ActionCategory;
use assize_preferences::{Comparer, histogram_svg};

/// Every element is closed by its own name, in order.
fn check_is_well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("a stray `<`: {tag}"));
        let name = |tag: &str| tag.split(' ').next().unwrap().to_owned();
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed)),
            None if tag.ends_with('/') => {}
            None => open.push(name(tag)),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(!tag.contains("NaN") && !tag.contains("inf"), "{tag}");
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn it_tells_of_both_profiles() {
    let all = [("a", private()), ("b", prompt(0.9, (ActionCategory::Deception, 3.0), 0.0))];
    let found = compared(&all, "thresholds.review = 0.25\nthresholds.block = 0.75\n");
    let svg = histogram_svg(&found);
    check_is_well_formed(&svg);
    assert_eq!(svg, histogram_svg(&found));
    for part in [
        "<title>From Base to Other</title>",
        "<desc>Harmfulness of the same conversations under two profiles",
        "2 conversations, 1 with another decision",
        "1 stricter, 0 milder; harmfulness moves by 0.000 on average",
        "Before: Base",
        "After: Other",
        ">review 0.5<",
        ">block 0.8<",
        ">review 0.25<",
        ">block 0.75<",
        "<title>1 conversation: 1 stricter, 0 milder</title>",
    ] {
        assert!(svg.contains(part), "{part} in {svg}");
    }
    // A bar before and after, and one in the legend.
    let stricter = svg.lines().filter(|line| line.contains("#c2410c")).count();
    let milder = svg.lines().filter(|line| line.contains("#1d6fb8")).count();
    assert_eq!((stricter, milder), (3, 1));
}

#[test]
fn nothing_compared_is_a_picture_too() {
    let svg = histogram_svg(&compared(&[], "weights.bias = 0.0"));
    check_is_well_formed(&svg);
    assert!(svg.contains("0 conversations, 0 with another decision"));
}

#[test]
fn a_title_can_not_break_it() {
    let title = "</title><script>&\" ".repeat(4);
    let file = files::complete_but("title", &format!("title = '{title}'"));
    let profile = files::profile("a", &[("a.toml", &file)]);
    let svg = histogram_svg(&Comparer::new((&profile, &profile), 0).finish());
    check_is_well_formed(&svg);
    assert!(svg.contains("&lt;/title&gt;&lt;script&gt;&amp;") && !svg.contains("<script"), "{svg}");
}
