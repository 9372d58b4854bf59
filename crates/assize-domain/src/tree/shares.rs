//! Shares and counts in few bits: what is decided on is exactly what is stored, so that a verdict can be given again.

/// How something is shared out over `N` places: 255ths that sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shares<const N: usize>([u8; N]);

/// A number of leaves in 256ths, below 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafCount(u16);

/// A whole.
const WHOLE: u8 = 255;
/// Sums that a mean is made of.
const LANES: usize = 4;

impl<const N: usize> Shares<N> {
    /// Shares in proportion to `amounts`, each within one 255th of the exact one; all that rounding leaves over goes to
    /// the places that lost most by it. `None` unless all are finite, none is negative and their sum is above 0.
    pub fn in_proportion(amounts: &[f32; N]) -> Option<Self> {
        let sum: f64 = amounts.iter().map(|amount| f64::from(*amount)).sum();
        if !sum.is_finite() || sum <= 0.0 || amounts.iter().any(|amount| *amount < 0.0) {
            return None;
        }
        let exact = amounts.map(|amount| f64::from(amount) / sum * f64::from(WHOLE));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
        let mut shares = exact.map(|share| share.floor() as u8);
        let mut places: Vec<usize> = (0..N).collect();
        let lost = |place: &usize| exact.get(*place).map_or(0.0, |share| share.fract());
        places.sort_by(|a, b| lost(b).total_cmp(&lost(a)).then(a.cmp(b)));
        let given: u32 = shares.iter().map(|share| u32::from(*share)).sum();
        // Rounding down loses less than 1 at each place, so that nobody gets more than one.
        let left = u32::from(WHOLE).saturating_sub(given) as usize;
        for place in places.into_iter().take(left) {
            if let Some(share) = shares.get_mut(place) {
                *share += 1;
            }
        }
        Self::from_bytes(shares)
    }

    /// All of it in one place; `None` where there is no such place.
    pub fn all_at(place: usize) -> Option<Self> {
        let mut shares = [0; N];
        *shares.get_mut(place)? = WHOLE;
        Some(Self(shares))
    }

    /// Reads 255ths; `None` unless they sum to 255.
    pub fn from_bytes(bytes: [u8; N]) -> Option<Self> {
        let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
        (sum == u32::from(WHOLE)).then_some(Self(bytes))
    }

    /// The 255ths.
    pub const fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// The share at a place, in `[0, 1]`; 0 where there is no such place.
    pub fn get(&self, place: usize) -> f64 {
        self.0.get(place).map_or(0.0, |share| f64::from(*share) / f64::from(WHOLE))
    }

    /// The mean of `values` over the places.
    pub fn mean(&self, values: &[f64; N]) -> f64 {
        // Four sums that don't wait for each other: whoever weighs a history comes by here a dozen times for each entry.
        let ((shares, last_shares), (fours, last)) =
            (self.0.as_chunks::<LANES>(), values.as_chunks::<LANES>());
        let mut sums = [0.0; LANES];
        for (shares, values) in shares.iter().zip(fours) {
            add_products(&mut sums, shares, values);
        }
        add_products(&mut sums, last_shares, last);
        let [a, b, c, d] = sums;
        ((a + b) + (c + d)) / f64::from(WHOLE)
    }

    /// The place with the largest share; the first of equal ones.
    pub fn largest(&self) -> usize {
        let largest = self.0.iter().copied().max().unwrap_or_default();
        self.0.iter().position(|share| *share == largest).unwrap_or_default()
    }
}

fn add_products(sums: &mut [f64; LANES], shares: &[u8], values: &[f64]) {
    for (sum, (share, value)) in sums.iter_mut().zip(shares.iter().zip(values)) {
        *sum += f64::from(*share) * value;
    }
}

impl LeafCount {
    /// The nearest count; `None` unless `count` is finite and at least 0. 255 and 255/256 at most.
    pub fn nearest(count: f32) -> Option<Self> {
        if !count.is_finite() || count < 0.0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
        let parts = (f64::from(count) * 256.0).round().min(f64::from(u16::MAX)) as u16;
        Some(Self(parts))
    }

    /// From 256ths.
    pub const fn from_parts(parts: u16) -> Self {
        Self(parts)
    }

    /// In 256ths.
    pub const fn parts(self) -> u16 {
        self.0
    }

    /// The number of leaves.
    pub fn get(self) -> f64 {
        f64::from(self.0) / 256.0
    }
}
