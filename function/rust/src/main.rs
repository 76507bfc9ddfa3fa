//! The measured function in Rust. The contract that it keeps, word for word, is ../README.md.

use std::{
    env,
    fs::File,
    io::ErrorKind,
    process,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aws_config::{BehaviorVersion, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::{config::RequestChecksumCalculation, error::DisplayErrorContext, primitives::ByteStream};
use aws_smithy_http_client::{Builder, tls};
use lambda_http::{Error, Request, RequestExt, Response, run_concurrent, service_fn};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use uuid::Uuid;

struct Function {
    variant: String,
    bucket: String,
    table: String,
    memory_mb: u32,
    concurrency: u32,
    environment: String,
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    answered: AtomicBool,
}

struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

type Answer = Result<Value, Refusal>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function: &Function = Box::leak(Box::new(Function::from_environment().await?));
    run_concurrent(service_fn(move |request: Request| function.handler(request))).await
}

impl Function {
    async fn from_environment() -> Result<Self, Error> {
        let tls = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let clients = aws_config::defaults(BehaviorVersion::latest())
            .http_client(Builder::new().tls_provider(tls).build_https())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(1))
                    .read_timeout(Duration::from_secs(5))
                    .build(),
            )
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .load()
            .await;
        let s3 = aws_sdk_s3::config::Builder::from(&clients).force_path_style(true).build();
        Ok(Function {
            variant: env::var("KIT_VARIANT")?,
            bucket: env::var("KIT_BUCKET")?,
            table: env::var("KIT_TABLE")?,
            memory_mb: env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")?.parse()?,
            concurrency: env::var("AWS_LAMBDA_MAX_CONCURRENCY").unwrap_or("1".into()).parse()?,
            environment: env::var("AWS_LAMBDA_LOG_STREAM_NAME")?,
            s3: aws_sdk_s3::Client::from_conf(s3),
            dynamodb: aws_sdk_dynamodb::Client::new(&clients),
            answered: AtomicBool::new(false),
        })
    }

    async fn handler(&self, request: Request) -> Result<Response<String>, Error> {
        match self.route(&request).await {
            Ok(answer) => self.reply(200, answer),
            Err(Refusal { status, code, message }) => {
                self.reply(status, json!({"error": {"code": code, "message": message}}))
            }
        }
    }

    async fn route(&self, request: &Request) -> Answer {
        if request.method() != "GET" {
            return Err(refusal(405, "method_not_allowed", "only GET is served"));
        }
        match request.path_parameters().first("workload") {
            Some("hello") => hello(),
            Some("io") => io(integer(request, "delay_ms", 0, 15_000)?).await,
            Some("cpu") => cpu(text(request, "seed", 256)?, integer(request, "hash_loops", 1, 1_000_000)?).await,
            Some("mixed") => {
                let delay_ms = integer(request, "delay_ms", 0, 15_000)?;
                mixed(delay_ms, text(request, "seed", 256)?, integer(request, "hash_loops", 1, 1_000_000)?).await
            }
            Some("store") => self.store().await,
            Some("health") => self.health(),
            _ => Err(refusal(404, "not_found", "the workloads are hello, io, cpu, mixed, store and health")),
        }
    }
}

fn hello() -> Answer {
    Ok(json!({"message": "hello"}))
}

async fn io(delay_ms: u32) -> Answer {
    tokio::time::sleep(Duration::from_millis(delay_ms.into())).await;
    Ok(json!({"delayMs": delay_ms}))
}

/// On a thread of its own, so that the requests beside it share the processor by the operating system's time slices.
async fn cpu(seed: String, hash_loops: u32) -> Answer {
    let mut digest = Sha256::digest(&seed);
    let hashing = spawn_blocking(move || {
        for _ in 0..hash_loops {
            digest = Sha256::digest(digest);
        }
        digest
    });
    let digest = hashing.await.expect("hashing does not fail");
    Ok(json!({"seed": seed, "hashLoops": hash_loops, "digest": hex::encode(digest)}))
}

async fn mixed(delay_ms: u32, seed: String, hash_loops: u32) -> Answer {
    let mut answer = io(delay_ms).await?;
    let hashed = cpu(seed, hash_loops).await?;
    answer.as_object_mut().expect("io answers an object").extend(hashed.as_object().expect("so does cpu").clone());
    Ok(answer)
}

impl Function {
    async fn store(&self) -> Answer {
        let id = Uuid::new_v4().to_string();
        self.put_object(&id).await?;
        self.put_item(&id).await?;
        Ok(json!({"id": id, "digest": hex::encode(Sha256::digest(&id))}))
    }

    fn health(&self) -> Answer {
        Ok(json!({
            "language": "rust",
            "runtime": concat!("rust ", env!("RUST_VERSION")),
            "memoryMb": self.memory_mb,
            "architecture": if env::consts::ARCH == "aarch64" { "arm64" } else { env::consts::ARCH },
            "concurrency": self.concurrency,
        }))
    }

    async fn put_object(&self, id: &str) -> Result<(), Refusal> {
        let object = self.s3.put_object().bucket(&self.bucket).key(format!("{id}.txt")).content_type("text/plain");
        match object.body(ByteStream::from(id.as_bytes().to_vec())).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                eprintln!("S3: {}", DisplayErrorContext(error));
                Err(refusal(502, "s3_failed", "S3 did not store the object"))
            }
        }
    }

    async fn put_item(&self, id: &str) -> Result<(), Refusal> {
        let item = self.dynamodb.put_item().table_name(&self.table).item("id", AttributeValue::S(id.into()));
        match item.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                eprintln!("DynamoDB: {}", DisplayErrorContext(error));
                Err(refusal(502, "dynamodb_failed", "DynamoDB did not store the item"))
            }
        }
    }
}

fn integer(request: &Request, name: &str, least: u32, most: u32) -> Result<u32, Refusal> {
    let digits = parameter(request, name);
    match digits.parse() {
        Ok(value) if digits.len() <= 8 && !digits.starts_with('+') && (least..=most).contains(&value) => Ok(value),
        _ => Err(refusal(400, "bad_request", format!("{name} must be an integer from {least} to {most}"))),
    }
}

fn text(request: &Request, name: &str, most: usize) -> Result<String, Refusal> {
    let value = parameter(request, name);
    if (1..=most).contains(&value.chars().count()) {
        Ok(value)
    } else {
        Err(refusal(400, "bad_request", format!("{name} must have 1 to {most} characters")))
    }
}

/// The last one if it is repeated, as in API Gateway's own `queryStringParameters`.
fn parameter(request: &Request, name: &str) -> String {
    let query = request.query_string_parameters();
    query.all(name).and_then(|values| values.last().map(|value| value.to_string())).unwrap_or_default()
}

fn refusal(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

impl Function {
    fn reply(&self, status: u16, mut answer: Value) -> Result<Response<String>, Error> {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        answer["variant"] = json!(self.variant);
        answer["environment"] = json!(self.environment);
        answer["cold"] = json!(self.first_answer()?);
        answer["pid"] = json!(process::id());
        answer["cpuNs"] = json!(cpu.tv_sec * 1_000_000_000 + cpu.tv_nsec);
        Ok(Response::builder().status(status).header("content-type", "application/json").body(answer.to_string())?)
    }

    /// Whether this is the environment's first: it need not be this process's, as the marker outlives it.
    fn first_answer(&self) -> Result<bool, Error> {
        if self.answered.load(Ordering::Relaxed) || self.answered.swap(true, Ordering::Relaxed) {
            return Ok(false);
        }
        let unsafe_in_names = |character: char| !character.is_ascii_alphanumeric();
        let marker = env::temp_dir().join(format!("answered-{}", self.environment.replace(unsafe_in_names, "_")));
        match File::create_new(marker) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
