//! Issuers: a grant becomes a credential. Imports ports, domain and sshsig. Only the fold makes grants, so what is
//! issued here was approved.

pub mod krl;
pub mod ssh_cert;
