//! Who runs the program, for the audit.

/// The name of the account the program runs under, or its number where the system names none. Not `$USER`: anybody can
/// set that.
pub fn unix_user() -> String {
    let uid = rustix::process::getuid().as_raw();
    // Accounts that come from a directory service are in no file; their number is the safer name.
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(&accounts, uid).unwrap_or_else(|| format!("uid-{uid}"))
}

fn name_of(accounts: &str, uid: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn accounts_are_found_by_their_number() {
        let accounts = "root:x:0:0::/root:/bin/sh\nbroken\n:x:7:7::/:\nanna:x:1000:1000:Anna,,,:/home/anna:/bin/sh\n";
        assert_eq!(name_of(accounts, 1000).as_deref(), Some("anna"));
        assert_eq!(name_of(accounts, 0).as_deref(), Some("root"));
        assert_eq!(name_of(accounts, 7), None);
        assert_eq!(name_of("", 0), None);
    }
}
