//! What the tokens of each bucket cost.

use super::decimal::Decimal;
use crate::usage::Usage;

/// One price of a model.
#[derive(Debug)]
pub(super) struct Column {
    /// The field in configurations.
    pub(super) name: &'static str,
    pub(super) output: bool,
    unlisted: Unlisted,
}

/// What a bucket costs when its price is not listed.
#[derive(Debug)]
enum Unlisted {
    /// Refused: this is the price that others fall back to.
    Required,
    /// As much as its direction, and that is its price: providers that do not tell the bucket apart bill it so.
    Direction,
    /// So many quarters of its direction's price, and it is not sure: some providers charge more than for text.
    Surcharge(u64),
    /// As much as audio; without a price for that, as other input from the cache.
    Audio,
}

const fn column(name: &'static str, output: bool, unlisted: Unlisted) -> Column {
    Column { name, output, unlisted }
}

const COUNT: usize = 11;

/// Also the order of the shipped table.
pub(super) const COLUMNS: [Column; COUNT] = [
    column("input", false, Unlisted::Required),
    column("output", true, Unlisted::Required),
    column("cache_read", false, Unlisted::Direction),
    // The dearest that writing a cache costs anywhere: Anthropic takes 1.25 and 2 times the input, OpenAI 1.25 and 2.5.
    column("cache_write_5m", false, Unlisted::Surcharge(5)),
    column("cache_write_1h", false, Unlisted::Surcharge(10)),
    column("reasoning", true, Unlisted::Direction),
    column("audio_input", false, Unlisted::Surcharge(4)),
    column("audio_output", true, Unlisted::Surcharge(4)),
    column("image_input", false, Unlisted::Direction),
    column("image_output", true, Unlisted::Surcharge(4)),
    column("cache_read_audio", false, Unlisted::Audio),
];

/// The tokens that each column is the price of.
pub(super) const fn tokens(usage: &Usage) -> [u64; COUNT] {
    let [
        (_, fresh),
        (_, cache_read),
        (_, cache_read_audio),
        (_, cache_write_5m),
        (_, cache_write_1h),
        (_, audio_input),
        (_, image_input),
        (_, text),
        (_, reasoning),
        (_, audio_output),
        (_, image_output),
    ] = usage.tokens();
    [
        fresh,
        text,
        cache_read,
        cache_write_5m,
        cache_write_1h,
        reasoning,
        audio_input,
        audio_output,
        image_input,
        image_output,
        cache_read_audio,
    ]
}

/// Listed prices, dollars per million tokens, by column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rates(pub(super) [Option<Decimal>; COUNT]);

/// What a token costs, and whether that is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) rate: Decimal,
    pub(super) listed: bool,
}

impl Rates {
    /// What a required price is missing, if one is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let required = |column: &Column| matches!(column.unlisted, Unlisted::Required);
        let missing = COLUMNS.iter().zip(self.0).find(|(column, rate)| required(column) && rate.is_none());
        missing.map(|(column, _)| column.name)
    }

    fn direction(&self, output: bool) -> Decimal {
        let [input_rate, output_rate, ..] = self.0;
        let rate = if output { output_rate } else { input_rate };
        rate.unwrap_or(Decimal(0)) // INVARIANT: both are required
    }

    /// These, where the others hold otherwise. What is not listed here is raised as its direction is, never lowered: a
    /// discount counts only where it is written down.
    pub(super) fn over(&self, others: &Self) -> Self {
        let mut rates = *self;
        for ((rate, other), column) in rates.0.iter_mut().zip(others.0).zip(&COLUMNS) {
            if rate.is_none() {
                let (before, now) = (others.direction(column.output), self.direction(column.output));
                *rate = other.map(|other| other.raised(before, now));
            }
        }
        rates
    }

    /// What each bucket's tokens cost. `complete`: these are all prices there are, so that what is not listed has the
    /// price of its direction for sure.
    pub(super) fn charges(&self, complete: bool) -> [Charge; COUNT] {
        let [_, _, cache_read, _, _, _, audio, ..] = self.0;
        let mut charges = [Charge { rate: Decimal(0), listed: true }; COUNT];
        for ((charge, rate), column) in charges.iter_mut().zip(self.0).zip(&COLUMNS) {
            let direction = self.direction(column.output);
            *charge = match (rate, &column.unlisted) {
                (Some(rate), _) => Charge { rate, listed: true },
                (None, Unlisted::Surcharge(quarters)) if !complete => {
                    Charge { rate: direction.quarters(*quarters), listed: false }
                }
                (None, Unlisted::Audio) => {
                    Charge { rate: audio.or(cache_read).unwrap_or(direction), listed: complete || audio.is_some() }
                }
                (None, _) => Charge { rate: direction, listed: true },
            };
        }
        charges
    }
}

impl Charge {
    /// The dearer of two, of which neither is sure.
    pub(super) fn dearer(self, other: Self) -> Self {
        Self { rate: self.rate.max(other.rate), listed: false }
    }
}
