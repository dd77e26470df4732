//! What holds for all bytes: no reader panics, what is recorded is read back, and every bit counts.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

proptest! {
    /// Bytes from anywhere: every reader says what it thinks of them, and none panics.
    #[test]
    fn no_reader_panics(noise in vec(any::<u8>(), 0..2000), at in any::<usize>(), length in any::<u32>()) {
        let opener = jit::sign::FileSigner::from_seed([7; 32]).unwrap().into_opener();
        let sealed = age::seal(std::slice::from_ref(opener.public_key()), &noise, &mut Counting(0)).unwrap();
        let agree = |share: &[u8; 32]| opener.agree(share);
        let identity = Identity { public: opener.public_key(), agree: &agree };
        prop_assert_eq!(open(&sealed, &opener), Ok(noise.clone()));
        let at = at % sealed.len();
        for bytes in [&noise[..], &[&sealed[..at], &noise].concat(), &sealed[at..], &[&noise, &sealed[at..]].concat()] {
            let _ = open(bytes, &opener);
        }
        let _ = cast::read(&noise);
        let lines = [&b"{\"channel\":1}\n[1.5,\"o\",\"x\"]\n"[..], &noise].concat();
        prop_assert!(!matches!(cast::read(&lines), Err((read, _)) if read.is_empty()));
        let mut head = Head { last: false, sequence: 0, time: 1, previous: header("a").digest(), length }.to_bytes();
        head.extend_from_slice(&noise);
        for bytes in [noise.clone(), [header("a").to_bytes(), noise.clone()].concat(), [header("a").to_bytes(), head].concat()] {
            let mut found = scan(&mut Cursor::new(&bytes), &Expected::default()).unwrap();
            prop_assert!(!found.faults.is_empty());
            reader::open_all(&mut Cursor::new(&bytes), &mut found, &identity, &mut |_| ()).unwrap();
            let mut tail = Tail::new(header("a"));
            let _ = tail.next(&mut Cursor::new(&bytes), &identity).unwrap();
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is recorded is read back: text by text, however the bytes came, whenever a chunk was sealed.
    #[test]
    fn what_is_recorded_is_read_back(
        said in vec((0..3_u32, vec(any::<u8>(), 0..200), 0..900_u64), 0..40),
        large in 0..90_000_usize,
    ) {
        let opener = jit::sign::FileSigner::from_seed([7; 32]).unwrap().into_opener();
        let (mut sink, mut rng) = (Vec::new(), Counting(7));
        let recipients = std::slice::from_ref(opener.public_key());
        let mut recorder = Recorder::new(&mut sink, recipients, &header("a"), BEGAN, &mut rng).unwrap();
        let mut bytes = [Vec::new(), Vec::new(), Vec::new()];
        (0..3).for_each(|channel| recorder.open_channel(channel, 0, &ChannelOpen::default()).unwrap());
        let (mut at, mut largest) = (0, 0);
        for (channel, piece, later) in &said {
            at += later;
            largest = largest.max(*later);
            recorder.output(*channel, at, piece).unwrap();
            bytes[*channel as usize].extend_from_slice(piece);
        }
        recorder.output(0, at, &text(large)).unwrap();
        bytes[0].extend_from_slice(&text(large));
        let finished = recorder.finish(at).unwrap();
        let expected = Expected { header: Some(header("a")), head: Some(finished.head) };
        let mut found = scan(&mut Cursor::new(&sink), &expected).unwrap();
        prop_assert_eq!(finished.bytes, sink.len() as u64);
        let agree = |share: &[u8; 32]| opener.agree(share);
        let identity = Identity { public: opener.public_key(), agree: &agree };
        let mut read = [String::new(), String::new(), String::new()];
        reader::open_all(&mut Cursor::new(&sink), &mut found, &identity, &mut |entry| {
            if let Entry::Event { channel, text, .. } = entry {
                read[*channel as usize] += text;
            }
        }).unwrap();
        prop_assert_eq!(found.faults, []);
        for (read, bytes) in read.iter().zip(&bytes) {
            prop_assert_eq!(read, &String::from_utf8_lossy(bytes));
        }
    }

    /// A bit anywhere in a recording, however long: it is never taken for whole.
    #[test]
    fn any_bit_of_any_recording_counts(frames in 2..6_usize, at in any::<usize>(), bit in 0..8_u8) {
        let key = jit::sign::FileSigner::from_seed([7; 32]).unwrap().into_opener().public_key().clone();
        let sample = sample(&key, "a", frames);
        let mut bytes = sample.bytes.clone();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(!sample.scan(&bytes).faults.is_empty());
    }
}
