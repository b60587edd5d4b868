//! Anything that serde can write, as Python's own objects: numbers keep NaN and infinities, which JSON would lose.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde::ser::{self, Serialize, Serializer};
use std::fmt;

/// `value` as dicts, lists, strings, numbers and None.
pub fn object<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    value.serialize(Objects(py)).map_err(|e| e.0)
}

#[derive(Clone, Copy)]
struct Objects<'py>(Python<'py>);

#[derive(Debug)]
struct Failed(PyErr);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Failed(PyTypeError::new_err(message.to_string()))
    }
}

impl From<PyErr> for Failed {
    fn from(error: PyErr) -> Failed {
        Failed(error)
    }
}

type Object<'py> = Result<Bound<'py, PyAny>, Failed>;

macro_rules! numbers {
    ($($method:ident $type:ty),*) => {
        $(fn $method(self, v: $type) -> Object<'py> {
            Ok(v.into_pyobject(self.0).map_err(PyErr::from)?.into_any())
        })*
    };
}

impl<'py> Serializer for Objects<'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Failed;
    type SerializeSeq = Items<'py>;
    type SerializeTuple = Items<'py>;
    type SerializeTupleStruct = Items<'py>;
    type SerializeTupleVariant = Items<'py>;
    type SerializeMap = Entries<'py>;
    type SerializeStruct = Entries<'py>;
    type SerializeStructVariant = Entries<'py>;

    numbers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64,
        serialize_f32 f32, serialize_f64 f64
    }
    fn serialize_bool(self, v: bool) -> Object<'py> {
        Ok(v.into_pyobject(self.0)
            .map_err(PyErr::from)?
            .to_owned()
            .into_any())
    }
    fn serialize_char(self, v: char) -> Object<'py> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Object<'py> {
        Ok(PyString::new(self.0, v).into_any())
    }
    fn serialize_bytes(self, v: &[u8]) -> Object<'py> {
        Ok(PyList::new(self.0, v)?.into_any())
    }
    fn serialize_none(self) -> Object<'py> {
        Ok(self.0.None().into_bound(self.0))
    }
    fn serialize_some<T: ?Sized + Serialize>(self, v: &T) -> Object<'py> {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Object<'py> {
        self.serialize_none()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Object<'py> {
        self.serialize_none()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Object<'py> {
        self.serialize_str(name)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        v: &T,
    ) -> Object<'py> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        v: &T,
    ) -> Object<'py> {
        let dict = PyDict::new(self.0);
        dict.set_item(name, v.serialize(self)?)?;
        Ok(dict.into_any())
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'py>, Failed> {
        Ok(Items {
            objects: self,
            list: PyList::empty(self.0),
            variant: None,
        })
    }
    fn serialize_tuple(self, _: usize) -> Result<Items<'py>, Failed> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'py>, Failed> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Items<'py>, Failed> {
        Ok(Items {
            variant: Some(name),
            ..self.serialize_seq(None)?
        })
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'py>, Failed> {
        Ok(Entries {
            objects: self,
            dict: PyDict::new(self.0),
            key: None,
            variant: None,
        })
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'py>, Failed> {
        self.serialize_map(None)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Entries<'py>, Failed> {
        Ok(Entries {
            variant: Some(name),
            ..self.serialize_map(None)?
        })
    }
}

/// A list under way.
struct Items<'py> {
    objects: Objects<'py>,
    list: Bound<'py, PyList>,
    variant: Option<&'static str>,
}

impl<'py> Items<'py> {
    fn push<T: ?Sized + Serialize>(&mut self, v: &T) -> Result<(), Failed> {
        Ok(self.list.append(v.serialize(self.objects)?)?)
    }
    fn finish(self) -> Object<'py> {
        within(self.objects, self.variant, self.list.into_any())
    }
}

/// A dict under way.
struct Entries<'py> {
    objects: Objects<'py>,
    dict: Bound<'py, PyDict>,
    key: Option<Bound<'py, PyAny>>,
    variant: Option<&'static str>,
}

impl<'py> Entries<'py> {
    fn put<T: ?Sized + Serialize>(&mut self, key: &'static str, v: &T) -> Result<(), Failed> {
        Ok(self.dict.set_item(key, v.serialize(self.objects)?)?)
    }
    fn finish(self) -> Object<'py> {
        within(self.objects, self.variant, self.dict.into_any())
    }
}

/// `{variant: value}`, or the value alone.
fn within<'py>(
    objects: Objects<'py>,
    variant: Option<&'static str>,
    value: Bound<'py, PyAny>,
) -> Object<'py> {
    let Some(variant) = variant else {
        return Ok(value);
    };
    let dict = PyDict::new(objects.0);
    dict.set_item(variant, value)?;
    Ok(dict.into_any())
}

macro_rules! items {
    ($($part:ident $method:ident),*) => {
        $(impl<'py> ser::$part for Items<'py> {
            type Ok = Bound<'py, PyAny>;
            type Error = Failed;
            fn $method<T: ?Sized + Serialize>(&mut self, v: &T) -> Result<(), Failed> {
                self.push(v)
            }
            fn end(self) -> Object<'py> {
                self.finish()
            }
        })*
    };
}

items! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

macro_rules! entries {
    ($($part:ident),*) => {
        $(impl<'py> ser::$part for Entries<'py> {
            type Ok = Bound<'py, PyAny>;
            type Error = Failed;
            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                key: &'static str,
                v: &T,
            ) -> Result<(), Failed> {
                self.put(key, v)
            }
            fn end(self) -> Object<'py> {
                self.finish()
            }
        })*
    };
}

entries!(SerializeStruct, SerializeStructVariant);

impl<'py> ser::SerializeMap for Entries<'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Failed;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Failed> {
        self.key = Some(key.serialize(self.objects)?);
        Ok(())
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, v: &T) -> Result<(), Failed> {
        match self.key.take() {
            Some(key) => Ok(self.dict.set_item(key, v.serialize(self.objects)?)?),
            None => Err(ser::Error::custom("a value without its key")),
        }
    }
    fn end(self) -> Object<'py> {
        self.finish()
    }
}
