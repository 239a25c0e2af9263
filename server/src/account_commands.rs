//! `stepback user` and `stepback token`: on the server's own machine, beside a running server too, which sees the change
//! at its next request. Each leaves a row in the audit.

mod unix_user;

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::access::{
    Access, AccessError, AccessSettings, AuditEntry, AuditId, NameRefusal, Password, PasswordRefusal, UserName,
};
use rollback_types::{AuditOutcome, Page, Role, SignInWay, Timestamp, TokenView, UserView};

use crate::cli::{TokenCommand, UserCommand};
use crate::config::Config;
use unix_user::unix_user;

/// Longer first lines are no password; a file given by mistake is not read to its end.
const LONGEST_LINE: u64 = 4096;

/// What was done.
#[derive(Default)]
pub struct Done {
    /// For standard output: a list, or a token and nothing else.
    pub answer: Option<String>,
    /// For standard error.
    pub note: Option<String>,
}

/// The answer may be a token.
impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Done").field("answer", &self.answer.as_ref().map(|_| "***")).field("note", &self.note).finish()
    }
}

/// A command about users or tokens could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// No such file: a list of nobody would mislead, where only the settings are the wrong ones.
    #[error("There are no users and tokens yet: {} is not there. Nothing was changed.", .0.display())]
    NoFile(PathBuf),
    /// The server could not open what would be made here.
    #[error("The server's files belong to another account ({}). Nothing was changed.", .0.display())]
    AnothersFolder(PathBuf),
    /// The name.
    #[error("{0}. Nothing was changed.")]
    Name(#[from] NameRefusal),
    /// The password.
    #[error("{0}. Nothing was changed.")]
    Password(#[from] PasswordRefusal),
    /// The two differ.
    #[error("The two passwords are not the same. Nothing was changed.")]
    Differ,
    /// It could not be read.
    #[error("The password could not be read: {0}. Nothing was changed.")]
    Unread(std::io::Error),
    /// Anything else.
    #[error("{0}. Nothing was changed.")]
    Access(#[from] AccessError),
    /// It acted, and the audit does not say so.
    #[error("{done} That it was done could not be written into the audit: {error}.")]
    Unaudited {
        /// What was done.
        done: String,
        /// Why not.
        error: AccessError,
    },
    /// A list could not be written as JSON.
    #[error("The list could not be written: {0}. Nothing was changed.")]
    Json(#[from] serde_json::Error),
}

impl AccountError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoFile(_) => "Name the server's settings by --config; the first user is made by \
                `stepback user add NAME --role administrator`, or by the link that `stepback serve` prints."
                .to_owned(),
            Self::AnothersFolder(_) => {
                "Run the command as that account: sudo -u ACCOUNT stepback …, or start the server once before."
                    .to_owned()
            }
            Self::Name(_) => "Choose another name.".to_owned(),
            Self::Password(_) => "Choose another password.".to_owned(),
            Self::Differ => "Type it again.".to_owned(),
            Self::Unread(_) => {
                "Type it at the prompt, or give it as the first line of standard input, in UTF-8.".to_owned()
            }
            Self::Access(error) | Self::Unaudited { error, .. } => error.remedy().to_owned(),
            Self::Json(_) => "Leave out --json.".to_owned(),
        }
    }
}

/// `stepback user …`
///
/// # Errors
/// See [`AccountError`].
pub async fn user(config: &Config, command: UserCommand) -> Result<Done, AccountError> {
    match command {
        UserCommand::Add { name, role } => {
            let name = UserName::new(&name)?;
            // Before the password is asked for, if the file is there to tell.
            if file(config).exists() && open(config).await?.user(name.as_str()).await?.is_some() {
                return Err(AccessError::UserExists(name.to_string()).into());
            }
            let password = new_password(&name)?;
            let accounts = open(config).await?;
            let audit = begin(&accounts, "stepback user add", format!("{name} (role: {role})")).await?;
            let by = actor();
            let done = accounts.add_user(&name, role, &password, &by).await.map(|_| ());
            end(&accounts, audit, done, format!("{name} may sign in now, with the role {role}.")).await
        }
        UserCommand::Passwd { name } => {
            let name = UserName::new(&name)?;
            let accounts = open_existing(config).await?;
            if accounts.user(name.as_str()).await?.is_none() {
                return Err(AccessError::NoSuchUser(name.to_string()).into());
            }
            let password = new_password(&name)?;
            let audit = begin(&accounts, "stepback user passwd", name.to_string()).await?;
            let done = accounts.set_password(name.as_str(), &password).await;
            let note = format!("{name} has another password; all their sessions have ended.");
            end(&accounts, audit, done, note).await
        }
        UserCommand::Role { name, role } => {
            let name = UserName::new(&name)?;
            let accounts = open_existing(config).await?;
            let audit = begin(&accounts, "stepback user role", format!("{name} (role: {role})")).await?;
            let done = accounts.set_role(name.as_str(), role).await;
            end(&accounts, audit, done, format!("{name} has the role {role} now.")).await
        }
        UserCommand::Disable { name } => {
            let name = UserName::new(&name)?;
            let accounts = open_existing(config).await?;
            let audit = begin(&accounts, "stepback user disable", name.to_string()).await?;
            let done = accounts.disable(name.as_str()).await;
            let note = format!("{name} may not sign in any more; all their sessions have ended.");
            end(&accounts, audit, done, note).await
        }
        UserCommand::Enable { name } => {
            let name = UserName::new(&name)?;
            let accounts = open_existing(config).await?;
            let audit = begin(&accounts, "stepback user enable", name.to_string()).await?;
            let done = accounts.enable(name.as_str()).await;
            end(&accounts, audit, done, format!("{name} may sign in again.")).await
        }
        UserCommand::List { json } => {
            let users = open_existing(config).await?.users().await?;
            let answer = if json { as_json(users)? } else { user_table(&users) };
            Ok(Done { answer: Some(answer), note: None })
        }
    }
}

/// `stepback token …`
///
/// # Errors
/// See [`AccountError`].
pub async fn token(config: &Config, command: TokenCommand) -> Result<Done, AccountError> {
    match command {
        TokenCommand::Create { name, role, expires } => {
            let name = UserName::new(&name)?;
            let accounts = open(config).await?;
            let audit = begin(&accounts, "stepback token create", format!("{name} (role: {role})")).await?;
            let made = accounts.create_token(&name, role, expires, &actor()).await;
            let (made, secret) = match made {
                Ok((view, secret)) => (Ok(view), Some(secret)),
                Err(error) => (Err(error), None),
            };
            let until = match made.as_ref().ok().and_then(|view| view.expires_at) {
                Some(end) => format!("until {}", minute(end)),
                None => "until it is revoked".to_owned(),
            };
            let note = format!(
                "The token {name} has the role {role} and is good {until}. It is shown this once: keep it as a password \
                 is kept, and send it as `Authorization: Bearer TOKEN`."
            );
            let done = end(&accounts, audit, made.map(|_| ()), note).await?;
            Ok(Done { answer: secret.map(|secret| secret.expose().to_owned()), ..done })
        }
        TokenCommand::Revoke { token } => {
            let accounts = open_existing(config).await?;
            let entry =
                entry("stepback token revoke").about(access::without_secret(&token).unwrap_or_else(|| token.clone()));
            let audit = accounts.audit_begin(&entry).await?;
            let done = accounts.revoke(&token).await.map(|_| ());
            end(&accounts, audit, done, "The token opens nothing any more.".to_owned()).await
        }
        TokenCommand::List { json } => {
            let tokens = open_existing(config).await?.tokens().await?;
            let answer = if json { as_json(tokens)? } else { token_table(&tokens) };
            Ok(Done { answer: Some(answer), note: None })
        }
    }
}

fn file(config: &Config) -> PathBuf {
    config.data_dir.join("access.db")
}

/// The file of users, tokens and the audit; made where there is none.
pub(crate) async fn open(config: &Config) -> Result<Arc<Access>, AccountError> {
    let (file, journal) = (file(config), config.data_dir.join("journal.db"));
    // A file that root makes is root's: a server under an account of its own could not open it.
    if let (Err(_), Ok(found)) = (file.metadata(), journal.metadata())
        && found.uid() != rustix::process::geteuid().as_raw()
    {
        return Err(AccountError::AnothersFolder(journal));
    }
    Ok(Access::open(file, AccessSettings::default()).await?)
}

async fn open_existing(config: &Config) -> Result<Arc<Access>, AccountError> {
    let file = file(config);
    if !file.exists() {
        return Err(AccountError::NoFile(file));
    }
    open(config).await
}

/// As the journal and the audit name who is at the command line.
pub(crate) fn actor() -> String {
    format!("cli:{}", unix_user())
}

/// What is about to be done at the command line.
pub(crate) fn entry(action: &str) -> AuditEntry {
    // Who may write the file may do anything with it: that is an administrator, whatever the account is called.
    AuditEntry {
        actor: Some(actor()),
        role: Some(Role::Administrator),
        via: Some(SignInWay::Cli),
        action: action.to_owned(),
        ..AuditEntry::default()
    }
}

/// Writes down what is about to be done, and about whom; what is set stands beside the name, as for a form.
async fn begin(accounts: &Access, action: &str, about: String) -> Result<AuditId, AccessError> {
    accounts.audit_begin(&entry(action).about(about)).await
}

async fn end(
    accounts: &Access,
    audit: AuditId,
    result: Result<(), AccessError>,
    note: String,
) -> Result<Done, AccountError> {
    let (outcome, detail) = match &result {
        // The row says what was done; the note is for whoever sits at the terminal.
        Ok(()) => (AuditOutcome::Done, None),
        Err(error) if error.is_of_file() => (AuditOutcome::Failed, Some(error.to_string())),
        Err(error) => (AuditOutcome::Refused, Some(error.to_string())),
    };
    let audited = accounts.audit_end(audit, outcome, None, detail.as_deref()).await;
    accounts.close().await;
    result?;
    match audited {
        Ok(()) => Ok(Done { answer: None, note: Some(note) }),
        Err(error) => Err(AccountError::Unaudited { done: note, error }),
    }
}

/// Typed twice at a terminal without being shown; else the first line of standard input.
fn new_password(name: &UserName) -> Result<Password, AccountError> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        let first = rpassword::prompt_password(format!("New password for {name}: ")).map_err(AccountError::Unread)?;
        let password = Password::choose(name, first.as_str())?;
        let again = rpassword::prompt_password("The same again: ").map_err(AccountError::Unread)?;
        return if first == again { Ok(password) } else { Err(AccountError::Differ) };
    }
    let mut line = String::new();
    let mut reader = std::io::BufReader::new(input.by_ref().take(LONGEST_LINE));
    reader.read_line(&mut line).map_err(AccountError::Unread)?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Password::choose(name, line)?)
}

/// A token's time: `30d`, `12h`.
///
/// # Errors
/// For clap, in words.
pub fn expiry(text: &str) -> Result<Duration, String> {
    let wrong = || "a time such as 30d or 12h is needed".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(time).map_err(|_| wrong())
}

fn as_json<T: serde::Serialize>(items: Vec<T>) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Page { items, next_cursor: None })
}

fn user_table(users: &[UserView]) -> String {
    let row = |user: &UserView| {
        let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
        [
            user.name.clone(),
            user.role.to_string(),
            user.kind.as_str().to_owned(),
            state.to_owned(),
            user.sessions.to_string(),
            user.last_sign_in_at.map_or_else(|| "never".to_owned(), minute),
        ]
    };
    table(["NAME", "ROLE", "SIGNS IN BY", "STATE", "SESSIONS", "LAST SIGN-IN"], users.iter().map(row))
}

fn token_table(tokens: &[TokenView]) -> String {
    let row = |token: &TokenView| {
        [
            token.id.clone(),
            token.name.clone(),
            token.role.to_string(),
            token.state.as_str().to_owned(),
            token.expires_at.map_or_else(|| "–".to_owned(), minute),
            token.last_used_at.map_or_else(|| "never".to_owned(), minute),
            token.made_by.clone(),
        ]
    };
    table(["ID", "NAME", "ROLE", "STATE", "EXPIRES", "LAST USED", "MADE BY"], tokens.iter().map(row))
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |i: usize| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.truncate(text.trim_end().len());
    text
}

fn minute(at: Timestamp) -> String {
    app::format::utc(at)
}
