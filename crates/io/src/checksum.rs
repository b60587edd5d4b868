//! CRC-32 (IEEE 802.3), to tell a damaged file from another one.

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut c = i as u32;
        let mut bit = 0;
        while bit < 8 {
            c = if c & 1 == 1 {
                (c >> 1) ^ 0xEDB8_8320
            } else {
                c >> 1
            };
            bit += 1;
        }
        table[i] = c;
        i += 1;
    }
    table
}

/// A running CRC-32.
#[derive(Clone, Copy)]
pub(crate) struct Crc(u32);

impl Crc {
    pub fn new() -> Crc {
        Crc(u32::MAX)
    }
    pub fn add(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = TABLE[((self.0 ^ u32::from(b)) & 0xFF) as usize] ^ (self.0 >> 8);
        }
    }
    pub fn value(self) -> u32 {
        !self.0
    }
}

/// The CRC-32 of some bytes.
pub fn crc32(bytes: impl IntoIterator<Item = u8>) -> u32 {
    let mut crc = Crc::new();
    bytes.into_iter().for_each(|b| crc.add(&[b]));
    crc.value()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value() {
        assert_eq!(super::crc32(*b"123456789"), 0xCBF4_3926);
    }
}
