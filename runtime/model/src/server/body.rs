//! The bytes of an answer as text: unpacked, with bad bytes replaced.

use std::io::Read as _;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// The first bytes of what gzip packed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why an answer is not JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadBody {
    /// It unpacks to more than is read of one answer.
    TooLong,
    /// It is packed, and cannot be unpacked.
    Packed,
    /// It cannot be read as JSON; this is how it begins.
    Unreadable(String),
}

/// The text of an answer, of at most `max` bytes once it is unpacked.
pub(crate) fn text(bytes: &[u8], encoding: Option<&str>, max: usize) -> Result<String, BadBody> {
    let unpacked = unpacked(bytes, encoding, max)?;
    let text = String::from_utf8_lossy(&unpacked);
    Ok(text.trim_start_matches('\u{FEFF}').trim().to_owned())
}

/// The bytes without their packing. What says it is packed and is not is taken as it stands.
fn unpacked(bytes: &[u8], encoding: Option<&str>, max: usize) -> Result<Vec<u8>, BadBody> {
    let mut packed = bytes;
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Vec::new();
    let read = if bytes.starts_with(&GZIP) {
        MultiGzDecoder::new(&mut packed).take(limit).read_to_end(&mut plain)
    } else {
        let named = encoding.unwrap_or_default().trim().to_ascii_lowercase();
        let json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[d:e".contains(byte));
        match named.as_str() {
            "deflate" if !json => ZlibDecoder::new(&mut packed).take(limit).read_to_end(&mut plain),
            "br" | "zstd" | "compress" if !json => return Err(BadBody::Packed),
            _ => return Ok(bytes.to_vec()),
        }
    };
    match read {
        Ok(count) if count > max => Err(BadBody::TooLong),
        Ok(_) => Ok(plain),
        Err(_broken) => Err(BadBody::Packed),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    const MAX: usize = 1024 * 1024;

    fn gzip(text: &str) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn packed_whether_it_is_said_or_not() {
        let expect = "{\"a\": 1}".to_owned();
        for encoding in [None, Some("gzip"), Some("x-gzip"), Some("identity")] {
            assert_eq!(text(&gzip("{\"a\": 1}"), encoding, MAX), Ok(expect.clone()), "{encoding:?}");
            assert_eq!(text(b"{\"a\": 1}", encoding, MAX), Ok(expect.clone()), "{encoding:?}");
        }
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        packed.write_all(b"{\"a\": 1}").unwrap();
        assert_eq!(text(&packed.finish().unwrap(), Some("deflate"), MAX), Ok(expect));
        assert_eq!(text(b"\x0b\x02\x80", Some("br"), MAX), Err(BadBody::Packed));
        let half = gzip("{\"a\": 1}");
        assert_eq!(text(&half[..half.len() / 2], None, MAX), Err(BadBody::Packed));
        assert_eq!(text(&gzip(&" ".repeat(MAX * 4)), None, MAX), Err(BadBody::TooLong));
    }
}
