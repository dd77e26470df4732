//! A headless Chromium for tests: a page is opened from its file, as a reader opens it, and asked by the DevTools protocol
//! over a pipe (file descriptors 3 and 4, which a shell makes of stdin and stdout).

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::environment;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// What runs a browser.
pub const CHROMIUM: &str = "chromium";

/// A browser, ended when dropped.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    answers: Receiver<Value>,
    told: Vec<Value>,
    next: u64,
    _profile: TempDir,
}

impl Browser {
    /// Starts one with an empty profile.
    pub fn open() -> Self {
        let profile = tempfile::Builder::new().prefix("jit-browser-").tempdir().unwrap();
        let script = "exec chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
                      --disable-background-networking --remote-debugging-pipe \"--user-data-dir=$1\" about:blank \
                      3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg("sh").arg(profile.path());
        command.env_clear().envs(environment(profile.path()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            let mut chunk = vec![0; 1 << 16];
            while let Ok(length @ 1..) = output.read(&mut chunk) {
                held.extend_from_slice(&chunk[..length]);
                while let Some(end) = held.iter().position(|byte| *byte == 0) {
                    let message: Vec<u8> = held.drain(..=end).collect();
                    if sender.send(serde_json::from_slice(&message[..end]).unwrap()).is_err() {
                        return;
                    }
                }
            }
        });
        Self { child, input, answers, told: Vec::new(), next: 0, _profile: profile }
    }

    /// Opens a file; `before` runs in the page before its own program does.
    pub fn page(&mut self, file: &Path, before: &str) -> Page<'_> {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }), None)["targetId"].clone();
        let attached = self.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }), None);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut page = Page { browser: self, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        if !before.is_empty() {
            page.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": before }));
        }
        page.browser.told.clear();
        page.call("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
        page
    }

    fn call(&mut self, method: &str, parameters: Value, session: Option<&str>) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.answers.recv_timeout(PATIENCE).unwrap_or_else(|why| panic!("{method}: {why}"));
            if answer["id"] != self.next {
                self.told.push(answer);
                continue;
            }
            assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
            return answer["result"].clone();
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.input.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An open page.
pub struct Page<'b> {
    browser: &'b mut Browser,
    session: String,
}

impl Page<'_> {
    /// Calls the protocol.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        let session = self.session.clone();
        self.browser.call(method, parameters, Some(&session))
    }

    /// What an expression is in the page; a promise is waited for.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        self.ask(expression).unwrap_or_else(|why| panic!("{expression}: {why}"))
    }

    fn ask(&mut self, expression: &str) -> Result<Value, Value> {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", parameters);
        if answer["exceptionDetails"].is_null() { Ok(answer["result"]["value"].clone()) } else { Err(answer) }
    }

    /// Waits until an expression is neither false, empty nor nothing; what it is then.
    #[track_caller]
    pub fn until(&mut self, expression: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.ask(expression) {
                Ok(value) if !matches!(value, Value::Null | Value::Bool(false)) && value != "" => return value,
                last => assert!(Instant::now() < end, "{expression} never came: {last:?}"),
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Everything of this kind that the browser told since the page was opened, such as `Network.requestWillBeSent`.
    pub fn told(&mut self, method: &str) -> Vec<Value> {
        self.eval("0");
        self.browser.told.iter().filter(|told| told["method"] == method).map(|told| told["params"].clone()).collect()
    }
}
