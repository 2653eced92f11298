//! Versions of the protocol.

/// A version of A2A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 0.3: that of a request that names none.
    V0_3,
    /// 1.0.
    V1_0,
}

impl Version {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_3 => "0.3",
            Self::V1_0 => "1.0",
        }
    }

    /// The version of this name; digits of a patch may follow, which make no difference to what is said.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::V0_3, Self::V1_0].into_iter().find(|version| {
            let patch = name.strip_prefix(version.name()).map(|rest| rest.strip_prefix('.').unwrap_or(rest));
            let is_number =
                |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            name == version.name() || (patch.is_some_and(is_number) && name.matches('.').count() == 2)
        })
    }
}
