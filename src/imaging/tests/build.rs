//! Files that no honest program writes, put together byte by byte.

/// A PNG chunk with a right checksum.
pub(super) fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    out.extend(kind);
    out.extend(body);
    out.extend(crc32fast::hash(&out[4..]).to_be_bytes());
    out
}

/// A PNG header chunk.
pub(super) fn ihdr(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let mut body = [width.to_be_bytes(), height.to_be_bytes()].concat();
    body.extend([depth, colour, 0, 0, 0]);
    chunk(*b"IHDR", &body)
}

/// A zlib stream that stores `data` (at most 65,535 bytes) without packing it.
pub(super) fn zlib(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(data);
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// A PNG out of chunks; the end is added.
pub(super) fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = super::super::sniff::PNG_SIGNATURE.to_vec();
    out.extend(chunks.concat());
    out.extend(chunk(*b"IEND", &[]));
    out
}

/// A grey PNG of the size, with one byte of `rows` rows of zeros for each pixel.
pub(super) fn grey(width: u32, height: u32, rows: u32, between: &[Vec<u8>]) -> Vec<u8> {
    let data = vec![0; ((width + 1) * rows) as usize];
    let mut chunks = vec![ihdr(width, height, 8, 0)];
    chunks.extend_from_slice(between);
    chunks.push(chunk(*b"IDAT", &zlib(&data)));
    png(&chunks)
}

/// Puts `segment` right behind a JPEG's start.
pub(super) fn into_jpeg(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, body, &jpeg[2..]].concat()
}

/// A WebP chunk.
pub(super) fn riff(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = kind.to_vec();
    out.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    out.extend(body);
    out.extend(vec![0; body.len() % 2]);
    out
}

/// A WebP out of chunks.
pub(super) fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    let size = u32::try_from(body.len() + 4).unwrap().to_le_bytes();
    [&b"RIFF"[..], &size, b"WEBP", &body].concat()
}
