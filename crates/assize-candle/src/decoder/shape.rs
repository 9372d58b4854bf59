//! What a decoder is made of, as checked numbers and choices. Every family of checkpoints is a value of this type; the code
//! that computes asks for its parts and never for a family's name.

/// The sizes and the variants of one checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderShape {
    /// Rows of the embedding.
    pub vocab: usize,
    /// Numbers of a hidden state.
    pub hidden: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Numbers of a head, even.
    pub head_width: usize,
    /// Inner width of the feed-forward part.
    pub feed_forward: usize,
    /// Most tokens of a sequence.
    pub max_positions: usize,
    /// Layers, each with how many tokens back it sees, its own included; `None` sees all.
    pub windows: Vec<Option<usize>>,
    /// Where norms stand in a layer.
    pub placement: NormPlacement,
    /// What is added to the mean square.
    pub norm_epsilon: f64,
    /// What is added to a norm's weights: Gemma stores them around 0.
    pub norm_offset: f64,
    /// Whether and how queries and keys are normalised.
    pub query_key_norm: QueryKeyNorm,
    /// How positions are told.
    pub rope: Rope,
    /// What the product of a query and a key is multiplied by.
    pub attention_scale: f64,
    /// Scores go through `cap * tanh(score / cap)`.
    pub attention_softcap: Option<f64>,
    /// Logits go through the same, at last.
    pub logit_softcap: Option<f64>,
    /// What embeddings are multiplied by.
    pub embedding_scale: f64,
    /// What a part's output is multiplied by before it is added to the residual.
    pub residual_scale: f64,
    /// What logits are divided by.
    pub logit_divisor: f64,
    /// The gate's function.
    pub activation: Activation,
    /// Which linear layers have a bias.
    pub biases: Biases,
    /// Whether the embedding is the last layer, too.
    pub is_tied: bool,
}

/// Where norms stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormPlacement {
    /// Before attention and before the feed-forward part (Llama, Mistral, Qwen, Granite).
    Before,
    /// After each of them, before the residual is added (OLMo 2).
    After,
    /// Both (Gemma 2).
    Around,
}

/// How queries and keys are normalised before positions are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKeyNorm {
    /// Not at all.
    None,
    /// Each head by itself, with weights of a head's width (Qwen 3).
    PerHead,
    /// All heads as one vector (OLMo 2).
    Whole,
}

/// The gate's function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(x)`.
    Silu,
    /// GELU in its form by tanh.
    GeluTanh,
}

/// Which linear layers have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Biases {
    /// Queries, keys and values.
    pub query_key_value: bool,
    /// The output of attention.
    pub output: bool,
    /// The three layers of the feed-forward part.
    pub feed_forward: bool,
}

/// Rotary positions, in the form that turns the first half of a head against the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rope {
    /// Base of the wavelengths.
    pub base: f64,
    /// How a longer context than the trained one is told.
    pub scaling: RopeScaling,
}

/// How wavelengths are stretched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All by one factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Long ones by the factor, short ones not at all, those between in between.
    ///
    /// SOURCE: Llama 3.1; `transformers/modeling_rope_utils.py`, `_compute_llama3_parameters`.
    Llama3 {
        /// The factor.
        factor: f64,
        /// Wavelengths above the trained context divided by this are stretched whole.
        low: f64,
        /// Wavelengths below the trained context divided by this are not stretched.
        high: f64,
        /// The trained context.
        trained: f64,
    },
}

impl DecoderShape {
    /// Numbers of all query heads.
    pub const fn query_width(&self) -> usize {
        self.heads * self.head_width
    }

    /// Numbers of all key heads; of all value heads, too.
    pub const fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width
    }
}

impl Rope {
    /// Radians that a head of `width` numbers turns by from one token to the next, for each pair of numbers.
    pub(crate) fn steps(self, width: usize) -> Vec<f32> {
        let half = width / 2;
        (0..half).map(|index| self.step(fraction(index, half))).collect()
    }

    /// In f32, as the checkpoints were trained; `place` is from 0 to 1.
    fn step(self, place: f32) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "checkpoints were trained with f32 steps")]
        let (base, narrow) = (self.base as f32, |x: f64| x as f32);
        let step = base.powf(place).recip();
        match self.scaling {
            RopeScaling::None => step,
            RopeScaling::Linear { factor } => step / narrow(factor),
            RopeScaling::Llama3 { factor, low, high, trained } => {
                let turns = trained * f64::from(step) / std::f64::consts::TAU;
                let share = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                narrow((1.0 - share) * f64::from(step) / factor + share * f64::from(step))
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "halves of heads are below 2^24")]
fn fraction(index: usize, of: usize) -> f32 {
    index as f32 / of as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_leaves_short_waves_and_stretches_long_ones() {
        let scaling = RopeScaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, trained: 8192.0 };
        let plain = Rope { base: 500_000.0, scaling: RopeScaling::None }.steps(128);
        let scaled = Rope { base: 500_000.0, scaling }.steps(128);
        assert_eq!(plain[0], scaled[0]);
        let ratio = plain[63] / scaled[63];
        assert!((ratio - 8.0).abs() < 1e-4, "{ratio}");
        assert!(plain.iter().zip(&scaled).any(|(p, s)| p / s > 1.5 && p / s < 7.5), "none between");
    }

    #[test]
    fn linear_stretches_all() {
        let scaled = Rope { base: 10_000.0, scaling: RopeScaling::Linear { factor: 4.0 } }.steps(4);
        assert_eq!(scaled, [0.25, 0.002_5]);
    }
}
