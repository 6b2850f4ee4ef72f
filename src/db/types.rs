//! Column types whose storage differs per engine, and the values of the domain that go into them.

use super::MultiBackend;
use crate::domain::payment::{LedgerKind, OperationKind, OperationState, PaymentReason, PaymentState};
use crate::domain::{Kwh, Money, Timestamp};
use chrono::SecondsFormat;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, HasSqlType, Nullable, SqlType};
use diesel::sqlite::Sqlite;
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned};

/// `NUMERIC` on PostgreSQL, decimal `TEXT` on SQLite: never a float. SQL neither orders by it nor computes
/// with it.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1700, array_oid = 1231), sqlite_type(name = "Text"))]
pub struct Exact;

/// `TIMESTAMPTZ` on PostgreSQL, RFC 3339 `TEXT` in UTC of one width on SQLite, so that it sorts.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Text"))]
pub struct Instant;

/// A document: JSON in a `TEXT` column on both engines. Nothing in SQL looks into it, JSONB would reorder its
/// keys and refuse `\u0000`, and text costs the database less.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub struct Json<T: Body>(pub T);

/// What can be kept as a document.
pub trait Body: std::fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: std::fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static> Body for T {}

/// A decimal that is neither energy nor money, e.g. power in kW.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub Decimal);

macro_rules! multi_sql_type {
    ($($sql:ty),*) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                MultiBackend::lookup_sql_type::<$sql>(lookup)
            }
        }
    )*};
}
multi_sql_type!(Exact, Instant);

macro_rules! multi_backend {
    ($rust:ty as $sql:ty $(where $t:ident: $b:path)?) => {
        impl $(<$t: $b>)? FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(v: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                v.from_sql::<$rust, $sql>()
            }
        }
        impl $(<$t: $b>)? ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }
    };
}
multi_backend!(Timestamp as Instant);
multi_backend!(Kwh as Exact);
multi_backend!(Money as Exact);
multi_backend!(Number as Exact);
multi_backend!(Json<T> as sql_types::Text where T: Body);

/// What diesel's derives would write, for types of the domain, which does not know diesel.
macro_rules! column_value {
    ($rust:ty as $sql:ty) => {
        impl AsExpression<$sql> for $rust {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<'a> AsExpression<$sql> for &'a $rust {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl AsExpression<Nullable<$sql>> for $rust {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<'a> AsExpression<Nullable<$sql>> for &'a $rust {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<DB: Backend> ToSql<Nullable<$sql>, DB> for $rust
        where
            $rust: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                ToSql::<$sql, DB>::to_sql(self, out)
            }
        }
        impl<ST, DB> Queryable<ST, DB> for $rust
        where
            DB: Backend,
            ST: sql_types::SingleValue,
            Self: FromSql<ST, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}
column_value!(Timestamp as Instant);
column_value!(Kwh as Exact);
column_value!(Money as Exact);
column_value!(Number as Exact);

macro_rules! exact_decimal {
    ($rust:ty, $get:expr, $make:expr) => {
        impl ToSql<Exact, Pg> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let value: Decimal = $get(self);
                ToSql::<sql_types::Numeric, Pg>::to_sql(&value, &mut out.reborrow())
            }
        }
        impl FromSql<Exact, Pg> for $rust {
            fn from_sql(v: PgValue<'_>) -> deserialize::Result<Self> {
                let value: Decimal = FromSql::<sql_types::Numeric, Pg>::from_sql(v)?;
                $make(value)
            }
        }
        impl ToSql<Exact, Sqlite> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                let value: Decimal = $get(self);
                out.set_value(value.to_string());
                Ok(IsNull::No)
            }
        }
        impl FromSql<Exact, Sqlite> for $rust {
            fn from_sql(v: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let text: String = FromSql::<sql_types::Text, Sqlite>::from_sql(v)?;
                $make(text.parse()?)
            }
        }
    };
}
exact_decimal!(Kwh, |v: &Kwh| v.decimal(), |d| Ok(Kwh::parse(d)?));
exact_decimal!(Money, |v: &Money| v.decimal(), |d| Ok(Money::parse(d)?));
exact_decimal!(Number, |v: &Number| v.0, |d| Ok(Number(d)));

impl ToSql<Instant, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Timestamptz, Pg>::to_sql(&self.utc(), &mut out.reborrow())
    }
}
impl FromSql<Instant, Pg> for Timestamp {
    fn from_sql(v: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Timestamptz, Pg>::from_sql(v).map(Self::new)
    }
}
impl ToSql<Instant, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.utc().to_rfc3339_opts(SecondsFormat::Millis, true));
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, Sqlite> for Timestamp {
    fn from_sql(v: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text: String = FromSql::<sql_types::Text, Sqlite>::from_sql(v)?;
        Ok(Self::parse(&text)?)
    }
}

impl<T: Body> ToSql<sql_types::Text, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: Body> FromSql<sql_types::Text, Pg> for Json<T> {
    fn from_sql(v: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_slice(v.as_bytes())?))
    }
}
impl<T: Body> ToSql<sql_types::Text, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl<T: Body> FromSql<sql_types::Text, Sqlite> for Json<T> {
    fn from_sql(v: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text: String = FromSql::<sql_types::Text, Sqlite>::from_sql(v)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

/// An enumeration of the domain as its word.
macro_rules! word_column {
    ($($rust:ty),+) => {$(
        impl ToSql<sql_types::Text, Pg> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<sql_types::Text, Pg>::to_sql(self.as_str(), &mut out.reborrow())
            }
        }
        impl FromSql<sql_types::Text, Pg> for $rust {
            fn from_sql(v: PgValue<'_>) -> deserialize::Result<Self> {
                let word: String = FromSql::<sql_types::Text, Pg>::from_sql(v)?;
                Self::from_word(&word).ok_or_else(|| format!("'{word}' is no word of the kind").into())
            }
        }
        impl ToSql<sql_types::Text, Sqlite> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.as_str());
                Ok(IsNull::No)
            }
        }
        impl FromSql<sql_types::Text, Sqlite> for $rust {
            fn from_sql(v: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let word: String = FromSql::<sql_types::Text, Sqlite>::from_sql(v)?;
                Self::from_word(&word).ok_or_else(|| format!("'{word}' is no word of the kind").into())
            }
        }
        multi_backend!($rust as sql_types::Text);
        column_value!($rust as sql_types::Text);
    )+};
}
word_column!(PaymentState, PaymentReason, LedgerKind, OperationKind, OperationState);
