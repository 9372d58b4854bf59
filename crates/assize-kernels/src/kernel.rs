//! Which instructions compute which precision, and whether this processor has them.

use std::fmt;

/// How weights and activations are stored while they are multiplied; the most exact first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// 32-bit floating point.
    F32,
    /// Floating point with 8 bits of mantissa, sums in f32.
    Bf16,
    /// Whole numbers of 8 bits with a scale for each token and each output, sums in 32 bits.
    Int8,
}

/// The instructions of one linear layer. Only what [`Self::is_available`] allows can be made into a [`crate::Linear`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// f32 with AVX-512.
    F32Avx512,
    /// f32 with AVX2 and FMA.
    F32Avx2,
    /// f32 as plain code; the yardstick of the others.
    F32Plain,
    /// bf16 with AVX-512 BF16.
    Bf16Avx512,
    /// bf16 as plain code; the yardstick.
    Bf16Plain,
    /// int8 with AVX-512 VNNI.
    Int8Avx512Vnni,
    /// int8 with AVX-VNNI (256 bits).
    Int8AvxVnni,
    /// int8 as plain code; the yardstick.
    Int8Plain,
}

impl Precision {
    /// Every precision, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// As in settings and metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Kernel {
    /// Every kernel; of each precision the fastest first.
    pub const ALL: [Self; 8] = [
        Self::F32Avx512,
        Self::F32Avx2,
        Self::F32Plain,
        Self::Bf16Avx512,
        Self::Bf16Plain,
        Self::Int8Avx512Vnni,
        Self::Int8AvxVnni,
        Self::Int8Plain,
    ];

    /// The kernel of this precision with vector instructions that this processor has; `None` where it has none.
    pub fn fastest(precision: Precision) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kernel| kernel.precision() == precision && !kernel.is_plain() && kernel.is_available())
    }

    /// What it computes in.
    pub const fn precision(self) -> Precision {
        match self {
            Self::F32Avx512 | Self::F32Avx2 | Self::F32Plain => Precision::F32,
            Self::Bf16Avx512 | Self::Bf16Plain => Precision::Bf16,
            Self::Int8Avx512Vnni | Self::Int8AvxVnni | Self::Int8Plain => Precision::Int8,
        }
    }

    /// As in logs and metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::F32Avx512 => "f32-avx512",
            Self::F32Avx2 => "f32-avx2",
            Self::F32Plain => "f32-plain",
            Self::Bf16Avx512 => "bf16-avx512",
            Self::Bf16Plain => "bf16-plain",
            Self::Int8Avx512Vnni => "int8-avx512-vnni",
            Self::Int8AvxVnni => "int8-avx-vnni",
            Self::Int8Plain => "int8-plain",
        }
    }

    const fn is_plain(self) -> bool {
        matches!(self, Self::F32Plain | Self::Bf16Plain | Self::Int8Plain)
    }

    /// Whether this processor, and the operating system on it, can run the kernel.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        let avx512 = || {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
        };
        match self {
            Self::F32Plain | Self::Bf16Plain | Self::Int8Plain => true,
            Self::F32Avx512 => avx512(),
            Self::F32Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Bf16Avx512 => avx512() && is_x86_feature_detected!("avx512bf16"),
            Self::Int8Avx512Vnni => avx512() && is_x86_feature_detected!("avx512vnni"),
            Self::Int8AvxVnni => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("avxvnni")
            }
        }
    }

    /// Whether this processor can run the kernel.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        self.is_plain()
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
