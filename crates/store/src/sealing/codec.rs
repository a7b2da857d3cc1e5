//! The plaintext layout of sealed records: a count, then fields with their lengths.

use zeroize::Zeroizing;

use crate::classes::Sensitive;

/// Encodes fields, at most 255 of at most 4 GiB each.
pub(crate) fn encode(fields: &[&[u8]]) -> Sensitive<Zeroizing<Vec<u8>>> {
    let len = fields.iter().map(|field| field.len() + 4).sum::<usize>() + 1;
    let mut out = Zeroizing::new(Vec::with_capacity(len));
    out.push(fields.len() as u8);
    for field in fields {
        out.extend_from_slice(&(field.len() as u32).to_be_bytes());
        out.extend_from_slice(field);
    }
    Sensitive::new(out)
}

/// Decodes exactly `N` fields; `None` for another number, a wrong length or trailing bytes.
pub(crate) fn decode<const N: usize>(bytes: &[u8]) -> Option<[&[u8]; N]> {
    let (&count, mut rest) = bytes.split_first()?;
    if usize::from(count) != N {
        return None;
    }
    let mut fields = [&[][..]; N];
    for field in &mut fields {
        let (len, tail) = rest.split_first_chunk::<4>()?;
        (*field, rest) = tail.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    }
    rest.is_empty().then_some(fields)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_put_together_comes_apart(a: Vec<u8>, b: Vec<u8>, c: Vec<u8>) {
            let bytes = encode(&[&a, &b, &c]).into_inner();
            prop_assert_eq!(decode::<3>(&bytes).unwrap(), [&a[..], &b[..], &c[..]]);
            prop_assert!(decode::<2>(&bytes).is_none());
        }

        #[test]
        fn cut_or_lengthened_bytes_are_refused(a: Vec<u8>, b: Vec<u8>, cut in 1_usize..9) {
            let mut bytes = encode(&[&a, &b]).expose().to_vec();
            prop_assert!(decode::<2>(&bytes[..bytes.len() - cut.min(bytes.len())]).is_none());
            bytes.push(0);
            prop_assert!(decode::<2>(&bytes).is_none());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = decode::<4>(&bytes);
        }
    }
}
