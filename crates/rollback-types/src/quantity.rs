//! Numbers as people read them: grouped, with their unit, and the same everywhere.

/// `76 kB`, `1.2 MB`: powers of 1000, at most three digits that matter.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if n < 1000 {
        return format!("{n} B");
    }
    // Integers only: a float's rounding would turn 999,999 into "1000 kB".
    let mut unit = 0;
    let mut tenths = (u128::from(n) + 50) / 100;
    while tenths >= 9_995 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    if tenths < 100 {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    } else {
        format!("{} {}", (tenths + 5) / 10, UNITS[unit])
    }
}

/// `35,118`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `35,118 points`, `1 point`. The unit in the plural, with an `s` at its end.
pub fn counted(n: u64, unit: &str) -> String {
    let unit = if n == 1 { unit.strip_suffix('s').unwrap_or(unit) } else { unit };
    format!("{} {unit}", count(n))
}

/// `aliases` for none and many, `alias` for one: where taking the `s` away would not do.
pub fn plural<'a>(n: u64, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}

/// The first twelve digits of a checksum: enough to tell two files apart by eye. The whole of it stands where it can be
/// copied.
pub fn short_hash(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
