//! What the server gives an island of its page.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that the server writes into the page for an island. The browser reads it once and never writes it, so the code
/// that would is no part of what browsers load: for a whole run that is a good deal.
#[derive(Clone, Debug)]
pub struct Given<T>(pub T);

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[cfg(not(feature = "hydrate"))]
        return self.0.serialize(to);
        #[cfg(feature = "hydrate")]
        to.serialize_unit()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self)
    }
}

#[cfg(all(test, not(feature = "hydrate")))]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_what_it_holds() {
        let text = serde_json::to_string(&Given(vec![1, 2])).unwrap();
        assert_eq!(text, "[1,2]");
        assert_eq!(serde_json::from_str::<Given<Vec<u8>>>(&text).unwrap().0, [1, 2]);
    }
}
