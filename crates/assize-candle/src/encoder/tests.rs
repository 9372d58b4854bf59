//! The whole encoder against the same one put together from candle's own operations: outputs, and candle's gradients.

use super::{Encoder, EncoderError, packing::Packing};
use crate::{
    Framing, HeadLogits, Sequence,
    folder::{EncoderShape, HeadOrder},
    leaves::LeafLayout,
    ops::reference,
};
use candle_core::{Device, Result, Tensor, Var};
use std::collections::BTreeMap;

pub(super) const SHAPE: EncoderShape = EncoderShape {
    hidden: 16,
    layers: 2,
    attention_heads: 2,
    intermediate: 24,
    vocab_size: 11,
    max_positions: 24,
    segment_types: 2,
    layer_norm_epsilon: 1e-12,
};

pub(super) type Variables = BTreeMap<String, Var>;

/// Random weights, large enough that nothing is almost linear.
pub(super) fn variables() -> Variables {
    let mut shapes = vec![
        ("embeddings.word_embeddings".to_owned(), vec![SHAPE.vocab_size, SHAPE.hidden]),
        ("embeddings.position_embeddings".to_owned(), vec![SHAPE.max_positions, SHAPE.hidden]),
        ("embeddings.token_type_embeddings".to_owned(), vec![SHAPE.segment_types, SHAPE.hidden]),
    ];
    let mut pairs = vec![
        ("embeddings.LayerNorm".to_owned(), vec![SHAPE.hidden]),
        ("heads.binary".to_owned(), vec![4, 2 * SHAPE.hidden]),
        ("heads.risk".to_owned(), vec![13, 2 * SHAPE.hidden]),
        ("heads.leaves".to_owned(), vec![LeafLayout::WIDTH, 2 * SHAPE.hidden]),
    ];
    let (hidden, wide) = (SHAPE.hidden, SHAPE.intermediate);
    for layer in 0..SHAPE.layers {
        for (part, shape) in [
            ("attention.self.query", vec![hidden, hidden]),
            ("attention.self.key", vec![hidden, hidden]),
            ("attention.self.value", vec![hidden, hidden]),
            ("attention.output.dense", vec![hidden, hidden]),
            ("attention.output.LayerNorm", vec![hidden]),
            ("intermediate.dense", vec![wide, hidden]),
            ("output.dense", vec![hidden, wide]),
            ("output.LayerNorm", vec![hidden]),
        ] {
            pairs.push((format!("encoder.layer.{layer}.{part}"), shape));
        }
    }
    let biases = pairs.iter().map(|(name, shape)| (format!("{name}.bias"), vec![shape[0]]));
    let biases: Vec<_> = biases.collect();
    shapes.extend(pairs);
    let weights = shapes.into_iter().map(|(name, shape)| (format!("{name}.weight"), shape));
    let random = |shape: Vec<usize>| Var::from_tensor(&Tensor::randn(0.0, 0.5_f32, shape, &Device::Cpu)?);
    weights.chain(biases).map(|(name, shape)| (name, random(shape).unwrap())).collect()
}

/// The outputs, computed step by step as the BERT paper has it.
fn composed(variables: &Variables, sequences: &[&Sequence]) -> Result<Tensor> {
    let packing = Packing::new(sequences, &Device::Cpu)?;
    let get = |name: &str| &variables[name];
    let linear = |x: &Tensor, name: &str| {
        let product = x.matmul(&get(&format!("{name}.weight")).t()?)?;
        product.broadcast_add(get(&format!("{name}.bias")))
    };
    let norm = |x: &Tensor, name: &str| {
        let (gamma, beta) = (get(&format!("{name}.weight")), get(&format!("{name}.bias")));
        reference::layer_norm(x, gamma, beta, 1e-12)
    };
    let words = get("embeddings.word_embeddings.weight").index_select(&packing.ids, 0)?;
    let positions = get("embeddings.position_embeddings.weight").index_select(&packing.positions, 0)?;
    let types = get("embeddings.token_type_embeddings.weight").index_select(&packing.types, 0)?;
    let mut hidden = norm(&((words + positions)? + types)?, "embeddings.LayerNorm")?;
    for layer in 0..SHAPE.layers {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let parts =
            ["query", "key", "value"].map(|part| linear(&hidden, &name(&format!("attention.self.{part}"))));
        let parts: Vec<Tensor> = parts.into_iter().collect::<Result<_>>()?;
        let context = reference::attention(&Tensor::cat(&parts, 1)?, packing.spans(), SHAPE.attention_heads)?;
        let attended = (linear(&context, &name("attention.output.dense"))? + hidden)?;
        let attended = norm(&attended, &name("attention.output.LayerNorm"))?;
        let activated = linear(&attended, &name("intermediate.dense"))?.gelu_erf()?;
        hidden = norm(&(linear(&activated, &name("output.dense"))? + attended)?, &name("output.LayerNorm"))?;
    }
    let features = reference::pool(&hidden, packing.spans())?;
    let heads = ["heads.binary", "heads.risk", "heads.leaves"].map(|head| linear(&features, head));
    Tensor::cat(&heads.into_iter().collect::<Result<Vec<_>>>()?, 1)
}

pub(super) fn sequences() -> Vec<Sequence> {
    let framing = Framing { cls: 1, sep: 2, max_tokens: SHAPE.max_positions };
    vec![
        Sequence::single(framing, &[3, 4, 5, 3, 3]).unwrap(),
        Sequence::pair(framing, &[6, 7], &[8, 9, 9]).unwrap(),
        Sequence::single(framing, &[]).unwrap(),
        Sequence::pair(framing, &[10; 12], &[4; 9]).unwrap(),
        Sequence::single(framing, &[5; 15]).unwrap(),
    ]
}

pub(super) fn encoder(variables: &Variables) -> Encoder {
    let tensors = variables.iter().map(|(name, variable)| (name.clone(), variable.as_detached_tensor()));
    Encoder::over(&tensors.collect(), SHAPE, &Device::Cpu).unwrap()
}

/// With so many positions.
pub(super) fn encoder_of(positions: usize) -> Encoder {
    let shape = EncoderShape { max_positions: positions, ..SHAPE };
    let table = Tensor::randn(0.0, 0.5_f32, (positions, SHAPE.hidden), &Device::Cpu).unwrap();
    let mut tensors: BTreeMap<_, _> =
        variables().iter().map(|(name, variable)| (name.clone(), variable.as_detached_tensor())).collect();
    tensors.insert("embeddings.position_embeddings.weight".to_owned(), table);
    Encoder::over(&tensors.into_iter().collect(), shape, &Device::Cpu).unwrap()
}

/// The largest difference, by the expected numbers' largest.
fn difference(given: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(given.dims(), expected.dims());
    let largest = |x: &Tensor| x.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    largest(&(given - expected).unwrap()) / largest(expected)
}

#[test]
fn outputs_and_gradients_are_candles() {
    let (variables, sequences) = (variables(), sequences());
    let sequences: Vec<&Sequence> = sequences.iter().collect();
    let expected = composed(&variables, &sequences).unwrap();
    let weights = expected.randn_like(0.0, 1.0).unwrap();
    let encoder = encoder(&variables);
    let mut outputs = Vec::new();
    let loss = |rows: &[Vec<f32>]| {
        outputs = rows.to_vec();
        weights.flatten_all().unwrap().to_vec1().unwrap()
    };
    let given = encoder.learn(&sequences, loss).unwrap();

    let outputs = Tensor::new(outputs, &Device::Cpu).unwrap();
    assert!(difference(&outputs, &expected) < 1e-4);
    assert!(difference(&encoder.forward(&sequences).unwrap(), &outputs) == 0.0, "one forward pass, not two");
    let expected = (expected * weights).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(given.keys().eq(variables.keys()));
    for (name, variable) in &variables {
        let expected = expected.get(variable).unwrap();
        // A key's bias shifts all scores of a query alike: its gradient is nothing but rounding.
        if name.ends_with("self.key.bias") {
            assert!(
                given[name].abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-3,
                "{name}"
            );
            continue;
        }
        let difference = difference(&given[name], expected);
        assert!(difference < 1e-3, "the gradient of {name} differs by {difference}");
    }
}

#[test]
fn gradients_are_the_same_every_time() {
    let (variables, sequences) = (variables(), sequences());
    let sequences: Vec<&Sequence> = sequences.iter().collect();
    let learn = || {
        let gradients = encoder(&variables).learn(&sequences, |rows| rows.concat()).unwrap();
        let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        gradients.values().map(numbers).collect::<Vec<_>>()
    };
    assert_eq!(learn(), learn());
}

#[test]
fn a_gradient_of_another_size_is_refused() {
    let (variables, sequences) = (variables(), sequences());
    let short = vec![0.0; HeadLogits::WIDTH - 1];
    let error = encoder(&variables).learn(&[&sequences[0]], |_| short).unwrap_err();
    assert!(matches!(error, EncoderError::Tensor(_)), "{error}");
}

#[test]
fn heads_in_another_order_do_not_learn() {
    let (variables, sequences) = (variables(), sequences());
    let tensors = variables.iter().map(|(name, variable)| (name.clone(), variable.as_detached_tensor()));
    let mut order = HeadOrder::identity();
    order.risk.swap(3, 4);
    let tensors: BTreeMap<String, Tensor> = tensors.collect();
    let mut weights = super::Weights::of(&tensors, &Device::Cpu);
    let encoder = super::load_encoder(&mut weights, SHAPE, &order).unwrap();
    let error = encoder.learn(&[&sequences[0]], |rows| rows.concat()).unwrap_err();
    assert!(matches!(error, EncoderError::HeadsDoNotLearn), "{error}");
}
