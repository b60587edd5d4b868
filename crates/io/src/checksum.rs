//! CRC-32 (IEEE 802.3), to tell a damaged file from another one.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

pub(crate) static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

pub(crate) type Digest = crc::Digest<'static, u32, Table<16>>;

/// The CRC-32 of some bytes.
pub fn crc32(bytes: impl IntoIterator<Item = u8>) -> u32 {
    let mut crc = CRC.digest();
    bytes.into_iter().for_each(|b| crc.update(&[b]));
    crc.finalize()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value() {
        assert_eq!(super::crc32(*b"123456789"), 0xCBF4_3926);
    }
}
