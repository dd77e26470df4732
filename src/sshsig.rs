//! sshsig: under construction.
