//! Secrets: made at random, kept as keyed hashes where only recognising matters, sealed where they must be
//! read again. Everything comes from one key of the installation, by a purpose each.

use crate::config::SecretKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Why a sealed text cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("a stored secret cannot be read with this installation's secret_key; was the key changed?")]
pub struct SealBroken;

/// The keys of this installation.
pub struct Keys {
    hash: hmac::Key,
    seal: LessSafeKey,
    access_tokens: [u8; 32],
    driver_tokens: [u8; 32],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// So many random bytes.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The library's generator aborts the process rather than return weak bytes; an error would mean the same.
    while aws_lc_rs::rand::fill(&mut bytes).is_err() {
        std::thread::yield_now();
    }
    bytes
}

/// A new secret of 256 random bits, in letters that fit into a header and a URL.
#[must_use]
pub fn new_secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// A new password for a station: 20 hexadecimal digits, which is what OCPP 1.6 stations can hold as
/// AuthorizationKey (OCPP 1.6 security white paper, 4.2: 16 to 20 bytes).
#[must_use]
pub fn new_station_password() -> String {
    random::<10>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new uid of a driver's token: 20 characters, which is what an OCPP 1.6 idTag holds (OCPP 1.6, 7.28 IdToken).
#[must_use]
pub fn new_token_uid() -> String {
    random::<10>().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A new number of a contract of an eMSP: an eMAID without its optional check digit, like `DE-ABC-C0A1B2C3D`
/// (ISO 15118-2, Annex H).
#[must_use]
pub fn new_contract_id(country_code: &str, party_id: &str) -> String {
    let number: String = random::<4>().iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{country_code}-{party_id}-C{number}")
}

/// A random positive number of 31 bits, as OCPP 1.6 transaction ids are.
#[must_use]
pub fn new_transaction_id() -> i32 {
    let number = i32::from_be_bytes(random::<4>()) & i32::MAX;
    number.max(1)
}

impl Keys {
    /// Derives what is needed from the installation's key.
    ///
    /// # Errors
    /// Never, unless the library refuses a key of the right length.
    pub fn new(secret: &SecretKey) -> Result<Self, SealBroken> {
        let seal = UnboundKey::new(&AES_256_GCM, &secret.derive("seal")).map_err(|_| SealBroken)?;
        Ok(Self {
            hash: hmac::Key::new(hmac::HMAC_SHA256, &secret.derive("hash")),
            seal: LessSafeKey::new(seal),
            access_tokens: secret.derive("access tokens"),
            driver_tokens: secret.derive("driver tokens"),
        })
    }

    /// The key that signs access tokens of the operator API.
    #[must_use]
    pub fn access_tokens(&self) -> &[u8; 32] {
        &self.access_tokens
    }

    /// The key that signs access tokens of the driver API.
    #[must_use]
    pub fn driver_tokens(&self) -> &[u8; 32] {
        &self.driver_tokens
    }

    /// The hash by which a secret is recognised: useless without this installation's key.
    #[must_use]
    pub fn hash(&self, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.hash, secret.as_bytes()))
    }

    /// Whether a secret has that hash, in the same time whatever the answer.
    #[must_use]
    pub fn matches(&self, secret: &str, hash: &str) -> bool {
        constant_time::verify_slices_are_equal(self.hash(secret).as_bytes(), hash.as_bytes()).is_ok()
    }

    /// Seals a secret, so that it can be kept and read again.
    ///
    /// # Errors
    /// Never, unless the library refuses.
    pub fn seal(&self, secret: &str) -> Result<String, SealBroken> {
        let nonce = random::<NONCE_LEN>();
        let mut bytes = secret.as_bytes().to_vec();
        self.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
            .map_err(|_| SealBroken)?;
        Ok(STANDARD.encode([nonce.as_slice(), &bytes].concat()))
    }

    /// Opens what [`Keys::seal`] sealed.
    ///
    /// # Errors
    /// When it was sealed with another key, or changed since.
    pub fn open(&self, sealed: &str) -> Result<String, SealBroken> {
        let bytes = STANDARD.decode(sealed).map_err(|_| SealBroken)?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or(SealBroken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        let mut rest = rest.to_vec();
        let plain = self.seal.open_in_place(nonce, Aad::empty(), &mut rest).map_err(|_| SealBroken)?;
        String::from_utf8(plain.to_vec()).map_err(|_| SealBroken)
    }
}

/// A digest by which the same content is recognised; no secret.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    URL_SAFE_NO_PAD.encode(digest.as_ref().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn keys(text: &str) -> Keys {
        Keys::new(&SecretKey::new(Secret::new(text)).unwrap()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_with_the_same_key() {
        let (ours, other) = (keys(&"a".repeat(40)), keys(&"b".repeat(40)));
        let sealed = ours.seal("token").unwrap();
        assert_ne!(sealed, ours.seal("token").unwrap());
        assert_eq!(ours.open(&sealed).unwrap(), "token");
        assert!(other.open(&sealed).is_err() && ours.open("AAAA").is_err());
        assert!(ours.matches("x", &ours.hash("x")) && !other.matches("x", &ours.hash("x")));
    }

    #[test]
    fn secrets_are_long_enough_and_differ() {
        assert_ne!(new_secret(), new_secret());
        assert_eq!(new_secret().len(), 43);
        assert_eq!(new_station_password().len(), 20);
        assert!((0..1000).all(|_| new_transaction_id() > 0));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
