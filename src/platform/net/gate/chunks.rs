//! Where a body in chunks ends.

/// Follows a body in chunks. It judges nothing: behind what the dispatcher refuses nothing passes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunks {
    place: Place,
    /// The size of the chunk.
    size: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the digits of a size.
    #[default]
    Size,
    /// Behind them, in the line of a size.
    Extension,
    /// In the bytes of a chunk, or in the line end behind them.
    Data,
    /// At the beginning of a line behind the last chunk.
    Last,
    /// In such a line.
    Trailer,
    /// The body has ended.
    Over,
}

impl Chunks {
    /// Returns whether the body has ended.
    pub(super) fn are_over(self) -> bool {
        self.place == Place::Over
    }

    /// Returns how many of the bytes belong to the body.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() && !self.are_over() {
            let rest = &bytes[passed..];
            passed += match self.place {
                Place::Data if self.size > 0 => {
                    let data = rest
                        .len()
                        .min(usize::try_from(self.size).unwrap_or(usize::MAX));
                    self.size -= data as u64;
                    data
                }
                _ => {
                    self.step(rest[0]);
                    1
                }
            };
        }
        passed
    }

    fn step(&mut self, byte: u8) {
        let digit = char::from(byte).to_digit(16);
        self.place = match (self.place, byte) {
            (Place::Size | Place::Extension, b'\n') if self.size == 0 => Place::Last,
            (Place::Size | Place::Extension, b'\n') => Place::Data,
            (Place::Size, _) => match (digit, self.size.checked_mul(16)) {
                (Some(digit), Some(size)) => {
                    self.size = size + u64::from(digit);
                    Place::Size
                }
                (Some(_), None) => Place::Over,
                (None, _) => Place::Extension,
            },
            (Place::Data, b'\n') => Place::Size,
            (Place::Last | Place::Data, b'\r') => self.place,
            (Place::Last, b'\n') => Place::Over,
            (Place::Trailer, b'\n') => Place::Last,
            (Place::Last | Place::Trailer, _) => Place::Trailer,
            // Something else than a line end behind a chunk.
            (Place::Data, _) => Place::Over,
            (place, _) => place,
        };
    }
}
