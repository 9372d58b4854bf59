//! One input of the encoder: word pieces between control tokens. The only place where control tokens are placed.

/// What a model wants around word pieces, and how many tokens it can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    /// Id of the token that opens a sequence (`[CLS]`).
    pub cls: u32,
    /// Id of the token that closes a segment (`[SEP]`).
    pub sep: u32,
    /// Most tokens of one sequence, control tokens included: the encoder's positions.
    pub max_tokens: usize,
}

/// More tokens than the encoder has positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sequence of {tokens} tokens is over the limit of {limit}; cut the text into windows first")]
pub struct SequenceTooLong {
    /// Tokens given, control tokens included.
    pub tokens: usize,
    /// Tokens allowed, control tokens included.
    pub limit: usize,
}

/// Token ids of one segment, or of two with a boundary between them.
///
/// INVARIANT: at most [`Framing::max_tokens`] tokens, and at least two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    ids: Vec<u32>,
    /// Index of the second segment's first token; the length where there is none.
    second_begins: usize,
}

impl Sequence {
    /// Control tokens in a sequence of one segment.
    pub const SINGLE_OVERHEAD: usize = 2;
    /// Control tokens in a sequence of two segments.
    pub const PAIR_OVERHEAD: usize = 3;

    /// `[CLS] first [SEP]`, every type id 0.
    ///
    /// # Errors
    /// When it would have more than [`Framing::max_tokens`] tokens.
    pub fn single(framing: Framing, first: &[u32]) -> Result<Self, SequenceTooLong> {
        let tokens = first.len() + Self::SINGLE_OVERHEAD;
        check_length(framing, tokens)?;
        let mut ids = Vec::with_capacity(tokens);
        ids.push(framing.cls);
        ids.extend_from_slice(first);
        ids.push(framing.sep);
        Ok(Self { ids, second_begins: tokens })
    }

    /// `[CLS] first [SEP] second [SEP]`; type id 0 up to the first `[SEP]`, then 1.
    ///
    /// # Errors
    /// When it would have more than [`Framing::max_tokens`] tokens.
    pub fn pair(framing: Framing, first: &[u32], second: &[u32]) -> Result<Self, SequenceTooLong> {
        let tokens = first.len() + second.len() + Self::PAIR_OVERHEAD;
        check_length(framing, tokens)?;
        let mut ids = Vec::with_capacity(tokens);
        ids.push(framing.cls);
        ids.extend_from_slice(first);
        ids.push(framing.sep);
        let second_begins = ids.len();
        ids.extend_from_slice(second);
        ids.push(framing.sep);
        Ok(Self { ids, second_begins })
    }

    /// `[CLS] context [SEP] first [SEP]`, every type id 0: a turn after what was said before it.
    ///
    /// # Errors
    /// When it would have more than [`Framing::max_tokens`] tokens.
    pub fn in_context(framing: Framing, context: &[u32], first: &[u32]) -> Result<Self, SequenceTooLong> {
        let tokens = context.len() + first.len() + Self::PAIR_OVERHEAD;
        let all = Self::pair(framing, context, first)?;
        Ok(Self { second_begins: tokens, ..all })
    }

    /// `[CLS] context [SEP] first [SEP] second [SEP]`; type id 0 up to the second `[SEP]`, then 1.
    ///
    /// # Errors
    /// When it would have more than [`Framing::max_tokens`] tokens.
    pub fn pair_in_context(
        framing: Framing,
        context: &[u32],
        first: &[u32],
        second: &[u32],
    ) -> Result<Self, SequenceTooLong> {
        let tokens = context.len() + first.len() + second.len() + Self::PAIR_OVERHEAD + 1;
        check_length(framing, tokens)?;
        let Self { mut ids, .. } = Self::in_context(framing, context, first)?;
        let second_begins = ids.len();
        ids.extend_from_slice(second);
        ids.push(framing.sep);
        Ok(Self { ids, second_begins })
    }

    /// Every token id, control tokens included; shape `[tokens]`.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The segment of every token: 0 or 1; shape `[tokens]`.
    pub fn type_ids(&self) -> impl Iterator<Item = u32> {
        (0..self.ids.len()).map(|index| u32::from(index >= self.second_begins))
    }

    /// How many tokens there are, control tokens included. Never 0.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }
}

fn check_length(framing: Framing, tokens: usize) -> Result<(), SequenceTooLong> {
    if tokens > framing.max_tokens {
        return Err(SequenceTooLong { tokens, limit: framing.max_tokens });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMING: Framing = Framing { cls: 101, sep: 102, max_tokens: 7 };

    #[test]
    fn one_segment_is_framed_with_type_0() {
        let sequence = Sequence::single(FRAMING, &[7, 8]).unwrap();
        assert_eq!(sequence.ids(), [101, 7, 8, 102]);
        assert_eq!(sequence.type_ids().collect::<Vec<_>>(), [0, 0, 0, 0]);
    }

    #[test]
    fn two_segments_are_framed_with_types_0_and_1() {
        let sequence = Sequence::pair(FRAMING, &[7, 8], &[9]).unwrap();
        assert_eq!(sequence.ids(), [101, 7, 8, 102, 9, 102]);
        assert_eq!(sequence.type_ids().collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn a_context_stands_first_with_type_0() {
        let sequence = Sequence::in_context(FRAMING, &[7], &[8, 9]).unwrap();
        assert_eq!(sequence.ids(), [101, 7, 102, 8, 9, 102]);
        assert_eq!(sequence.type_ids().collect::<Vec<_>>(), [0; 6]);
        let sequence = Sequence::pair_in_context(FRAMING, &[7], &[8], &[9]).unwrap();
        assert_eq!(sequence.ids(), [101, 7, 102, 8, 102, 9, 102]);
        assert_eq!(sequence.type_ids().collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1, 1]);
        let too_long = SequenceTooLong { tokens: 8, limit: 7 };
        assert_eq!(Sequence::pair_in_context(FRAMING, &[7], &[8], &[9, 9]), Err(too_long));
    }

    #[test]
    fn empty_segments_are_only_control_tokens() {
        assert_eq!(Sequence::single(FRAMING, &[]).unwrap().ids(), [101, 102]);
        assert_eq!(Sequence::pair(FRAMING, &[], &[]).unwrap().ids(), [101, 102, 102]);
    }

    #[test]
    fn the_limit_counts_control_tokens() {
        assert_eq!(Sequence::single(FRAMING, &[1; 5]).unwrap().tokens(), 7);
        assert_eq!(Sequence::pair(FRAMING, &[1; 2], &[1; 2]).unwrap().tokens(), 7);
        let too_long = SequenceTooLong { tokens: 8, limit: 7 };
        assert_eq!(Sequence::single(FRAMING, &[1; 6]), Err(too_long));
        assert_eq!(Sequence::pair(FRAMING, &[1; 2], &[1; 3]), Err(too_long));
        assert_eq!(
            too_long.to_string(),
            "a sequence of 8 tokens is over the limit of 7; cut the text into windows first"
        );
    }
}
