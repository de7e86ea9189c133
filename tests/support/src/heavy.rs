//! WebAssembly that is valid, harmless, and takes long to compile.

/// Functions of a module are about this large: larger ones take longer still, by the square of their size.
const FUNCTION_BYTES: usize = 64 << 10;
const LOCALS: u8 = 100;

/// A core module of about this many bytes: branches after branches, over locals all of which live as long as their
/// function. The machine code of a mebibyte takes seconds.
#[must_use]
pub fn module(bytes: usize) -> Vec<u8> {
    let bodies: Vec<Vec<u8>> = (0..bytes.div_ceil(FUNCTION_BYTES))
        .map(|number| function(FUNCTION_BYTES.min(bytes - number * FUNCTION_BYTES), number))
        .collect();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // One type: (i32) -> i32.
    section(&mut module, 1, &[1, 0x60, 1, 0x7f, 1, 0x7f]);
    let mut types = length(bodies.len());
    types.extend(bodies.iter().map(|_| 0));
    section(&mut module, 3, &types);
    let mut code = length(bodies.len());
    for body in bodies {
        code.extend(length(body.len()));
        code.extend(body);
    }
    section(&mut module, 10, &code);
    module
}

/// The component with one more core module, which nothing in it uses.
#[must_use]
pub fn with_module(component: &[u8], module: &[u8]) -> Vec<u8> {
    let mut with = component.to_vec();
    section(&mut with, 1, module);
    with
}

fn function(bytes: usize, number: usize) -> Vec<u8> {
    // The parameter, and locals beside it.
    let mut body = vec![1, LOCALS - 1, 0x7f];
    let mut random = number as u32 + 1;
    let mut local = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) as u8 % LOCALS
    };
    while body.len() < bytes {
        let (get, set) = (0x20, 0x21);
        // a = b * c; if (d) { e = f }
        body.extend([get, local(), get, local(), 0x6c, set, local()]);
        body.extend([get, local(), 0x04, 0x40, get, local(), set, local(), 0x0b]);
    }
    body.extend([0x20, 0, 0x0b]);
    body
}

fn section(to: &mut Vec<u8>, id: u8, content: &[u8]) {
    to.push(id);
    to.extend(length(content.len()));
    to.extend_from_slice(content);
}

/// LEB128.
fn length(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
