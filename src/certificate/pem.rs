//! A certificate in the text form of files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters of a line: "generators MUST wrap the base64-encoded lines so that each line consists of exactly 64
/// characters except for the final line" (RFC 7468 §2).
const LINE: usize = 64;

/// A certificate in DER as PEM (RFC 7468 §5).
#[must_use]
pub fn pem(certificate: &[u8]) -> String {
    let text: Vec<char> = STANDARD.encode(certificate).chars().collect();
    let lines: String = text.chunks(LINE).flat_map(|line| line.iter().copied().chain(['\n'])).collect();
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    #[test]
    fn files_hold_what_was_presented() {
        let certificate: Vec<u8> = (0..=200).collect();
        let written = pem(&certificate);
        assert!(written.lines().all(|line| line.len() <= LINE), "{written}");
        assert_eq!(CertificateDer::from_pem_slice(written.as_bytes()).unwrap().as_ref(), certificate);
    }
}
