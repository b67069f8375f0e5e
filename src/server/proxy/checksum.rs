//! The checksum of a header of version 2, where the proxy sends one (`PP2_TYPE_CRC32C`, §2.2.3).

use crc::{CRC_32_ISCSI, Crc, Table};
use ppp::v2;

use super::fault::HeaderFault;

/// `CRC32c` (RFC 4960 appendix B).
const CRC32C: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// The octets before a field's value: its kind, and the length of the value.
const BEFORE_VALUE: usize = 3;

/// Verifies every checksum in the header, that of a proxy which speaks for itself too: damage may have made it one.
pub(super) fn verify(header: &v2::Header<'_>) -> Result<(), HeaderFault> {
    let octets = header.as_bytes();
    let mut end = match header.address_family() {
        // The parser takes everything for an address there; HAProxy's health checks have fields at once.
        v2::AddressFamily::Unspecified => octets.len() - header.length(),
        _ => octets.len() - header.tlv_bytes().len(),
    };
    // What is malformed in the fields is judged by who reads them: where a proxy speaks for itself, nobody does.
    for field in v2::TypeLengthValues::from(octets.get(end..).unwrap_or_default()).map_while(Result::ok) {
        end += BEFORE_VALUE + field.value.len();
        if field.kind == v2::Type::CRC32C as u8 {
            let sent: [u8; 4] = (*field.value).try_into().map_err(|_| HeaderFault::Malformed)?;
            let (before, after) = octets.split_at_checked(end).ok_or(HeaderFault::Malformed)?;
            let before = before.strip_suffix(&sent).ok_or(HeaderFault::Malformed)?;
            if of(&[before, &[0; 4], after]) != u32::from_be_bytes(sent) {
                return Err(HeaderFault::Damaged);
            }
        }
    }
    Ok(())
}

/// "replace the 32 bits of the checksum field in the received PROXY header with all '0's", and "calculate a `CRC32c`
/// checksum value of the whole PROXY header" (§2.2.3).
fn of(pieces: &[&[u8]]) -> u32 {
    let mut digest = CRC32C.digest();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(octets: &[u8]) -> Result<(), HeaderFault> {
        verify(&v2::Header::try_from(octets).unwrap())
    }

    /// As `HAProxy` 2.6 sends it with every option: for 127.0.0.1:45847, with TLS and a client certificate.
    const SENT: &str = "0d0a0d0a000d0a515549540a211100977f0000017f000001b31737e2030004ad30087d010004706f7033020017706f702e\
        72656e6f766174696f6e732e6578616d706c6505001272732d3132372e302e302e312d343538343720004b0700000000210007544c5376\
        312e3322000941646120427269636b2500075253413230343824000a5253412d534841323536230016544c535f4145535f3235365f4743\
        4d5f534841333834";

    fn sent() -> Vec<u8> {
        let digits = SENT.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    #[test]
    fn a_header_with_a_right_checksum_counts() {
        assert_eq!(verified(&sent()), Ok(()));
    }

    #[test]
    fn no_bit_behind_the_fixed_octets_can_change() {
        for bit in 16 * 8..sent().len() * 8 {
            let mut octets = sent();
            octets[bit / 8] ^= 1 << (bit % 8);
            // Of the checksum's own field, the kind and the length say that there is one.
            let is_kind_or_length = (28..31).contains(&(bit / 8));
            if !is_kind_or_length {
                assert_eq!(verified(&octets), Err(HeaderFault::Damaged), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_proxy_that_speaks_for_itself_sends_a_right_checksum_too() {
        let local = |checksum: [u8; 4]| [v2::PROTOCOL_PREFIX, &[0x20, 0, 0, 7, 3, 0, 4], &checksum].concat();
        let zeroed = local([0; 4]);
        let right = CRC32C.checksum(&zeroed);
        assert_eq!(verified(&local(right.to_be_bytes())), Ok(()));
        assert_eq!(verified(&local((right ^ 1).to_be_bytes())), Err(HeaderFault::Damaged));
    }

    #[test]
    fn a_checksum_of_another_length_is_malformed() {
        let header = [v2::PROTOCOL_PREFIX, &[0x21, 0, 0, 6, 3, 0, 3, 1, 2, 3]].concat();
        assert_eq!(verified(&header), Err(HeaderFault::Malformed));
    }
}
