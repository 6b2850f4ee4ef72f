//! How messages and sets of words are declared.

/// Declares an object of the protocol: properties in the order of the schema, `Option` where they may be left
/// out, `in RANGE` where a number has one.
macro_rules! message {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$fmeta:meta])* $field:ident: $ty:ty = $wire:literal $(in $range:expr)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty,)* }

        impl $crate::ocpp::wire::Message for $name {
            fn read_from(
                object: &mut $crate::ocpp::wire::Object<'_>,
                place: &$crate::ocpp::wire::Place<'_>,
                violations: &mut $crate::ocpp::wire::Violations,
            ) -> Result<Self, $crate::ocpp::wire::Fault> {
                let _ = (&object, place, &violations);
                $(
                    let $field: $ty = object.field($wire, place, violations)?;
                    $(
                        $crate::ocpp::wire::check_range(&$field, $range)
                            .map_err(|reason| $crate::ocpp::wire::Fault::property(&place.name($wire), reason))?;
                    )?
                )*
                Ok(Self { $($field,)* })
            }
        }

        impl $crate::ocpp::wire::Field for $name {
            fn read(
                raw: &serde_json::value::RawValue,
                place: &$crate::ocpp::wire::Place<'_>,
                violations: &mut $crate::ocpp::wire::Violations,
            ) -> Result<Self, $crate::ocpp::wire::Fault> {
                let mut object = $crate::ocpp::wire::Object::parse(raw, place)?;
                let message = <Self as $crate::ocpp::wire::Message>::read_from(&mut object, place, violations)?;
                object.note_extra(place, violations);
                Ok(message)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                #[allow(unused_mut, reason = "a message without properties fills nothing")]
                let mut map = serializer.serialize_map(None)?;
                $(
                    if !$crate::ocpp::wire::Field::is_absent(&self.$field) {
                        $crate::ocpp::wire::Field::check(&self.$field)
                            $(.and_then(|()| $crate::ocpp::wire::check_range(&self.$field, $range)))?
                            .map_err(|reason| serde::ser::Error::custom(format!("{}: {reason}", $wire)))?;
                        map.serialize_entry($wire, &self.$field)?;
                    }
                )*
                map.end()
            }
        }
    };
}
pub(crate) use message;

/// Declares a set of words of the protocol; one that is not known is taken and noted, and never sent.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $crate::domain::open_enum::open_enum! {
            $(#[$meta])* pub enum $name { $($(#[$vmeta])* $variant = $word,)+ }
        }
        $crate::ocpp::wire::word_field!($name);
    };
}
pub(crate) use words;

/// Makes an `open_enum` the type of a property.
macro_rules! word_field {
    ($name:ty) => {
        impl $crate::ocpp::wire::Field for $name {
            fn read(
                raw: &serde_json::value::RawValue,
                place: &$crate::ocpp::wire::Place<'_>,
                violations: &mut $crate::ocpp::wire::Violations,
            ) -> Result<Self, $crate::ocpp::wire::Fault> {
                $crate::ocpp::wire::read_word(raw, place, violations, Self::WORDS, |word| Self::from(word))
            }
            fn check(&self) -> Result<(), String> {
                if self.is_known() { Ok(()) } else { Err(format!("'{self}' is no word of this version")) }
            }
        }
    };
}
pub(crate) use word_field;
