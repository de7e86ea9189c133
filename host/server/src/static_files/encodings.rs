//! Texts of the web folder in a smaller form, for clients that take one.
//!
//! What was made once is kept, within a bound, and made by one thread at a time: so a file costs its compression once for
//! each of its versions, however many ask for it at once.

use std::collections::VecDeque;
use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{ACCEPT_ENCODING, HeaderMap};
use parking_lot::Mutex;
use weir_value::limits;

/// How hard brotli tries: 11 takes a hundred times as long for a tenth less.
const BROTLI_QUALITY: u32 = 5;
const BROTLI_WINDOW: u32 = 22;
const BUFFER_BYTES: usize = 4096;

/// A form that texts can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// As the headers call it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }

    /// The smallest that a client takes, if it takes any.
    pub fn accepted(headers: &HeaderMap) -> Option<Encoding> {
        let lists: Vec<&str> =
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
        [Encoding::Brotli, Encoding::Gzip].into_iter().find(|encoding| {
            let mut offers = lists.iter().flat_map(|list| list.split(',')).map(offer);
            let named = offers.clone().find(|(name, _)| name.eq_ignore_ascii_case(encoding.name()));
            named.or_else(|| offers.find(|(name, _)| *name == "*")).is_some_and(|(_, is_taken)| is_taken)
        })
    }

    fn apply(self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Encoding::Brotli => {
                let mut writer =
                    brotli::CompressorWriter::new(Vec::new(), BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW);
                writer.write_all(plain)?;
                Ok(writer.into_inner())
            }
            Encoding::Gzip => {
                let mut writer = GzEncoder::new(Vec::new(), Compression::default());
                writer.write_all(plain)?;
                writer.finish()
            }
        }
    }
}

/// One member of the list: `gzip;q=0` is one that is not taken.
fn offer(text: &str) -> (&str, bool) {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let quality = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
    let is_taken = quality.is_none_or(|quality| quality.trim().parse::<f32>().is_ok_and(|q| q > 0.0));
    (name.trim(), is_taken)
}

/// What was made already. A tag of the file, its version and form tells them apart.
#[derive(Debug, Default)]
pub struct Encoded {
    made: Mutex<Made>,
    /// Whoever makes one holds it.
    making: Mutex<()>,
}

#[derive(Debug, Default)]
struct Made {
    forms: VecDeque<(String, Bytes)>,
    bytes: usize,
}

impl Encoded {
    /// The form of this text. Blocks for as long as it is made.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn get(&self, tag: &str, encoding: Encoding, plain: &[u8]) -> io::Result<Bytes> {
        if let Some(known) = self.find(tag) {
            return Ok(known);
        }
        let _making = self.making.lock();
        if let Some(known) = self.find(tag) {
            return Ok(known);
        }
        let form = Bytes::from(encoding.apply(plain)?);
        let mut made = self.made.lock();
        made.bytes += form.len();
        made.forms.push_back((tag.to_owned(), form.clone()));
        while made.bytes > limits::WEB_ENCODED_BYTES_MAX
            && let Some((_, oldest)) = made.forms.pop_front()
        {
            made.bytes -= oldest.len();
        }
        Ok(form)
    }

    fn find(&self, tag: &str) -> Option<Bytes> {
        self.made.lock().forms.iter().find(|(known, _)| known == tag).map(|(_, form)| form.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use std::io::Read;

    #[test]
    fn clients_say_what_they_take() {
        for (header, expected) in [
            (None, None),
            (Some("gzip, deflate, br"), Some(Encoding::Brotli)),
            (Some("GZIP"), Some(Encoding::Gzip)),
            (Some("br;q=0, gzip;q=0.5"), Some(Encoding::Gzip)),
            (Some("*"), Some(Encoding::Brotli)),
            (Some("*, br; q=0"), Some(Encoding::Gzip)),
            (Some("*;q=0"), None),
            (Some("identity"), None),
            (Some("br;q=many"), None),
        ] {
            let mut headers = HeaderMap::new();
            header.map(|header| headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header)));
            assert_eq!(Encoding::accepted(&headers), expected, "{header:?}");
        }
    }

    #[test]
    fn forms_are_made_once_hold_all_and_are_bounded() {
        let encoded = Encoded::default();
        let text = "the same again and again, ".repeat(4000);
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            let form = encoded.get(encoding.name(), encoding, text.as_bytes()).unwrap();
            assert!(form.len() < text.len() / 20, "{encoding:?}: {}", form.len());
            let mut plain = String::new();
            match encoding {
                Encoding::Brotli => {
                    brotli::Decompressor::new(&form[..], 4096).read_to_string(&mut plain).unwrap()
                }
                Encoding::Gzip => flate2::read::GzDecoder::new(&form[..]).read_to_string(&mut plain).unwrap(),
            };
            assert_eq!(plain, text);
            // Of another text, which is not looked at.
            assert_eq!(encoded.get(encoding.name(), encoding, b"").unwrap(), form);
        }
        let noise: Vec<u8> = (0..limits::WEB_ENCODED_FILE_BYTES_MAX as u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for number in 0..20 {
            encoded.get(&format!("noise {number}"), Encoding::Gzip, &noise).unwrap();
            assert!(encoded.made.lock().bytes <= limits::WEB_ENCODED_BYTES_MAX);
        }
    }
}
