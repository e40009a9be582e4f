//! macula
