//! `Display` and `FromStr` of enumerations: by the names that they have in TOML.

use crate::data::{Missing, Scaling, Symbols};
use crate::{Error, Follow, Initial, Loss, Method, Read, Schedule};
use serde::de::{IntoDeserializer, value::Error as Unknown};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! by_name {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<$name, Error> {
                $name::deserialize(text.into_deserializer()).map_err(|e: Unknown| Error::Config(e.to_string()))
            }
        }
    )*};
}

by_name!(
    Follow, Initial, Loss, Method, Missing, Read, Scaling, Schedule, Symbols
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for loss in [
            Loss::Mse,
            Loss::Huber,
            Loss::CrossEntropy,
            Loss::BinaryCrossEntropy,
        ] {
            assert_eq!(loss.to_string().parse::<Loss>().unwrap(), loss);
        }
        assert_eq!(format!("{:>9}|", Method::RmsProp), " rms-prop|");
        let e = "ranger".parse::<Method>().unwrap_err().to_string();
        assert!(e.contains("ranger") && e.contains("adam-w"), "{e}");
    }
}
