//! Which settings of Redis are refused, and with what words.

use portcullis_features::{Config, RedisConfig, StoreKind};

fn refused(redis: RedisConfig) -> String {
    let config = Config {
        store: StoreKind::Redis,
        redis,
        ..Config::default()
    };
    config.check().unwrap_err().to_string()
}

#[test]
fn settings_that_mean_nothing_are_refused_with_their_key() {
    let redis = RedisConfig::default;
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    for (config, key) in [
        (
            RedisConfig {
                url: "here".to_owned(),
                ..redis()
            },
            "features.redis.url: `here`",
        ),
        (
            RedisConfig {
                url: "rediss://127.0.0.1:6379/0".to_owned(),
                ..redis()
            },
            "features.redis.url: `rediss://127.0.0.1:6379/0`",
        ),
        (
            RedisConfig {
                url: "redis://ada:secret@127.0.0.1/0".to_owned(),
                ..redis()
            },
            "features.redis.url holds a user or a password",
        ),
        (
            RedisConfig {
                user: "ada".to_owned(),
                ..redis()
            },
            "features.redis.user is set",
        ),
        (
            RedisConfig {
                password_file: folder.path().join("missing"),
                ..redis()
            },
            "features.redis.password_file: `",
        ),
        (
            RedisConfig {
                password_file: empty,
                ..redis()
            },
            "features.redis.password_file: `",
        ),
    ] {
        let error = refused(config);
        assert!(error.starts_with(key), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn how_redis_is_reached_is_not_looked_at_where_memory_is_the_store() {
    let config = Config {
        redis: RedisConfig {
            url: "here".to_owned(),
            ..RedisConfig::default()
        },
        ..Config::default()
    };
    config.check().unwrap();
}
