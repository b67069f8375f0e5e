//! A value that is replaced while others use it: whoever has taken it keeps what they took.

use std::sync::{Arc, PoisonError, RwLock};

/// The value that is in force now.
#[derive(Debug)]
pub struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    /// Begins with a value.
    pub fn new(value: impl Into<Arc<T>>) -> Self {
        Self(RwLock::new(value.into()))
    }

    /// The value in force. It stays as it is for as long as the caller keeps it.
    pub fn get(&self) -> Arc<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another value in force, and returns the one before.
    pub fn replace(&self, value: impl Into<Arc<T>>) -> Arc<T> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, value.into())
    }
}
