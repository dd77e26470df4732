//! Heads of requests to a witness: more bytes never change what a whole head says, and what is wrong is answered.
#![no_main]

use jit::cli::outside::head;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match head(bytes) {
        Ok(Some(found)) => {
            assert!(found.end <= bytes.len() && found.end > 0);
            assert!(bytes[..found.end].ends_with(b"\n"));
            assert!(!found.path.contains(['?', '#', ' ', '\r', '\n']));
            assert!(
                found.method != "POST"
                    || found.length > 0
                    || bytes.to_ascii_lowercase().windows(14).any(|w| w == b"content-length")
            );
            // The same head, whatever follows: what comes behind is the body's.
            assert_eq!(head(&bytes[..found.end]).as_ref().ok(), Some(&Some(found.clone())));
            let longer = [bytes, b"Content-Length: 7\r\n\r\n"].concat();
            assert_eq!(head(&longer).as_ref().ok(), Some(&Some(found)));
        }
        Ok(None) => {}
        Err(response) => assert!(matches!(response.status, 400 | 411 | 431)),
    }
});
