//! The fingerprint of a certificate, as people compare it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// SHA-256 over a whole certificate in DER, as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha256Fingerprint([u8; SHA256_OUTPUT_LEN]);

impl Sha256Fingerprint {
    /// Of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        let mut octets = [0; SHA256_OUTPUT_LEN];
        octets.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(octets)
    }
}

/// The text is no SHA-256 fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedFingerprint;

impl fmt::Display for MalformedFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons")
    }
}

impl std::error::Error for MalformedFingerprint {}

impl FromStr for Sha256Fingerprint {
    type Err = MalformedFingerprint;

    fn from_str(text: &str) -> Result<Self, MalformedFingerprint> {
        let digits: Option<Vec<u32>> = text.trim().chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() == 2 * SHA256_OUTPUT_LEN).ok_or(MalformedFingerprint)?;
        let mut octets = [0; SHA256_OUTPUT_LEN];
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = pair.iter().fold(0, |octet, digit| octet << 4 | u8::try_from(*digit).unwrap_or_default());
        }
        Ok(Self(octets))
    }
}

impl fmt::Display for Sha256Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|octet| format!("{octet:02X}")).collect();
        f.write_str(&pairs.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_with_and_without_colons() {
        // FIPS 180-4: the digest of "abc".
        let fingerprint = Sha256Fingerprint::of(b"abc");
        let written = fingerprint.to_string();
        assert!(written.starts_with("BA:78:16:BF:8F:01:CF:EA:") && written.ends_with(":15:AD"), "{written}");
        assert_eq!(written.parse(), Ok(fingerprint));
        assert_eq!(written.replace(':', "").to_lowercase().parse(), Ok(fingerprint));
        for wrong in ["", "BA", &written[1..], &written.replace('B', "G")] {
            assert_eq!(wrong.parse::<Sha256Fingerprint>(), Err(MalformedFingerprint), "{wrong}");
        }
    }
}
