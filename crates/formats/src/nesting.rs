//! How deep JSON is nested, byte by byte, without parsing it.

/// The state of a scan.
#[derive(Debug)]
pub(crate) struct Nesting {
    depth: u32,
    within: Within,
}

#[derive(Debug, Clone, Copy)]
enum Within {
    Structure,
    Text,
    Escape,
}

impl Nesting {
    /// The deepest level that is read; the parser's own limit is the same.
    pub(crate) const LIMIT: u32 = 127;

    pub(crate) const fn new() -> Self {
        Self { depth: 0, within: Within::Structure }
    }

    /// The depth after one more byte.
    pub(crate) const fn step(&mut self, byte: u8) -> u32 {
        match (self.within, byte) {
            (Within::Structure, b'[' | b'{') => self.depth = self.depth.saturating_add(1),
            (Within::Structure, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            (Within::Text, b'\\') => self.within = Within::Escape,
            (Within::Text, b'"') => self.within = Within::Structure,
            (Within::Structure, b'"') | (Within::Escape, _) => self.within = Within::Text,
            (Within::Structure | Within::Text, _) => {}
        }
        self.depth
    }
}

/// Whether a JSON text is nested more deeply than is read.
pub(crate) fn is_too_deep(json: &[u8]) -> bool {
    let mut nesting = Nesting::new();
    json.iter().any(|&byte| nesting.step(byte) > Nesting::LIMIT)
}
