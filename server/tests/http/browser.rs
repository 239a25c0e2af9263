//! What a browser does with cookies and forms, by hand.

use access::{Access, Password, UserName};
use rollback_types::Role;

use crate::client::{Answer, Client};

/// The password of every user of the tests.
pub const PASSWORD: &str = "a long walk by the sea";

/// Adds a user with that password.
pub async fn add_user(access: &Access, name: &str, role: Role) {
    let name = UserName::new(name).unwrap();
    let password = Password::choose(&name, PASSWORD).unwrap();
    access.add_user(&name, role, &password, "tests").await.unwrap();
}

/// A signed-in browser.
pub struct Browser {
    client: Client,
    origin: String,
    /// The cookie as it is sent, `name=value`.
    pub cookie: String,
}

impl Browser {
    /// Signs in.
    pub async fn sign_in(client: &Client, name: &str) -> Self {
        let origin = format!("http://{}", client.address);
        let answer = sign_in(client, name, PASSWORD, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.body);
        Self { client: client.nobody(), origin, cookie: cookie(&answer).expect("a cookie is set") }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.client.send("GET", path, &[("cookie", &self.cookie)], "").await
    }

    /// Posts a form as a page does.
    pub async fn post(&self, path: &str, form: &str) -> Answer {
        self.post_from(&format!("{}/versions", self.origin), path, form).await
    }

    /// The same from a page that says to be this one; an empty word for none.
    pub async fn post_from(&self, referer: &str, path: &str, form: &str) -> Answer {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("referer", referer),
            ("origin", &self.origin),
            ("sec-fetch-site", "same-origin"),
            ("accept", "text/html"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.client.send("POST", path, &headers, form).await
    }

    /// The API's answer to the question who one is.
    pub async fn me(&self) -> Answer {
        self.get("/api/v1/me").await
    }
}

/// Sends the sign-in form.
pub async fn sign_in(client: &Client, name: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    let form = format!("name={name}&password={}", password.replace(' ', "+"));
    post_form(client, "/session/sign-in", &form, headers).await
}

/// Sends a form without any cookie but those given.
pub async fn post_form(client: &Client, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let headers = [&[kind][..], headers].concat();
    client.nobody().send("POST", path, &headers, form).await
}

/// The session's cookie of an answer, as it is sent back.
pub fn cookie(answer: &Answer) -> Option<String> {
    let mut set = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    let ours = set.rfind(|c| c.starts_with("__Host-stepback="))?;
    ours.split(';').next().map(str::to_owned)
}
