//! Where a model computes. Chosen once, at load; there is no fallback from one device to another.

use candle_core::Device;

/// The device asked for by the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// The processor; always there.
    Cpu,
    /// The NVIDIA GPU with this ordinal, counted from 0; needs the crate's feature `cuda`.
    Cuda(usize),
}

impl std::fmt::Display for DeviceChoice {
    /// As in the settings: `cpu` or `cuda:N`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// An absent GPU is an error and never becomes the CPU by stealth: a service planned for a GPU would then start
    /// and answer far too late.
    pub(crate) fn open(self) -> candle_core::Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            // Built without the feature `cuda`, candle answers with an error here.
            Self::Cuda(ordinal) => Device::new_cuda(ordinal),
        }
    }
}
