//! Promises about the configuration: every problem at once, no secret shown, one table behind the code and `.env.example`.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use snapshot_bot::{
    access::{AdminsMay, Person, Right},
    config::{Config, Problem, Problems, Unset, VARIABLES, env_example, is_same_database, misspelled},
    operation::ids::{GuildId, RoleId, UserId},
    telemetry::LogFormat,
};

const TOKEN: &str = "MTIz.token-of.discord";
const API_TOKEN: &str = "dop_v1_0123456789abcdef";

fn with(extra: &[(&str, &str)]) -> Result<Config, Problems> {
    let required = [("DISCORD_TOKEN", TOKEN), ("DISCORD_GUILD_ID", "1000, 1001"), ("DIGITALOCEAN_TOKEN", API_TOKEN)];
    let values: BTreeMap<_, _> = required.into_iter().chain(extra.iter().copied()).collect();
    Config::from_lookup(|name| values.get(name).map(|value| (*value).to_owned()))
}

fn problem(variable: &str, value: &str) -> String {
    let problems = with(&[(variable, value)]).expect_err(&format!("{variable}={value:?} should be refused"));
    let told: Vec<_> = problems.iter().filter(|problem| problem.variable() == variable).collect();
    assert_eq!(told.len(), 1, "{variable}={value:?} should be one problem, was: {problems}");
    told[0].to_string()
}

#[test]
fn three_variables_are_enough_and_the_rest_are_the_documented_defaults() {
    let config = with(&[]).unwrap();
    assert_eq!(config.discord.token.expose_secret(), TOKEN);
    assert_eq!(config.digitalocean.token.expose_secret(), API_TOKEN);
    assert_eq!(config.policy.guilds().collect::<Vec<_>>(), [GuildId(1000), GuildId(1001)]);
    assert!(!config.policy.names_roles());
    assert_eq!(config.digitalocean.api_url.as_str(), "https://api.digitalocean.com/");
    assert_eq!(config.digitalocean.droplet_tag, None);
    assert_eq!(config.database_url.expose_secret(), "sqlite://snapshot-bot.db");
    assert_eq!(config.timing.poll_interval, SignedDuration::from_secs(5));
    assert_eq!(config.timing.shutdown_timeout, SignedDuration::from_mins(2));
    assert_eq!(config.timing.decision_timeout, SignedDuration::from_mins(10));
    assert_eq!(config.timing.settle_time, SignedDuration::from_secs(30));
    assert!((config.snapshot_price_per_gb - 0.06).abs() < f64::EPSILON);
    assert_eq!((config.http_addr, config.discord.notify_channel), (None, None));
    assert_eq!((config.log_format, config.log_filter.as_str()), (LogFormat::Pretty, "info"));
    assert_eq!(config.discord.simulator, None);
}

#[test]
fn every_problem_is_told_at_once_and_in_the_order_of_the_table() {
    let nothing = Config::from_lookup(|name| (name == "POLL_INTERVAL").then(|| "5".to_owned())).unwrap_err();
    insta::assert_snapshot!(nothing, @r#"
    4 problems in the configuration:

    DISCORD_TOKEN
      found    not set
      wanted   The bot's token: Discord Developer Portal, your application, Bot, Reset Token
      example  DISCORD_TOKEN=MTIz…three.parts.with-dots

    DISCORD_GUILD_ID
      found    not set
      wanted   The ids of the guilds to serve, separated by commas
      example  DISCORD_GUILD_ID=123456789012345678

    DIGITALOCEAN_TOKEN
      found    not set
      wanted   The API token: DigitalOcean, API, Generate New Token
      example  DIGITALOCEAN_TOKEN=dop_v1_…64 hexadecimal digits

    POLL_INTERVAL
      found    "5"
      wanted   a duration between 10ms and 5m, with its unit
      example  POLL_INTERVAL=5s

    Variables are read from the environment and from `.env`; `.env.example` explains each one.
    "#);
}

#[test]
fn an_empty_or_blank_value_counts_as_not_set() {
    let config = with(&[("POLL_INTERVAL", ""), ("HTTP_ADDR", "  "), ("EXTRA_CA_FILE", "")]).unwrap();
    assert_eq!(config.timing.poll_interval, SignedDuration::from_secs(5));
    assert_eq!(config.http_addr, None);
    assert!(problem("DISCORD_TOKEN", " ").contains("not set"));
}

#[test]
fn a_refused_value_is_shown_with_what_is_wanted_and_an_example() {
    insta::assert_snapshot!(problem("POLL_INTERVAL", "5"), @r#"
    POLL_INTERVAL
      found    "5"
      wanted   a duration between 10ms and 5m, with its unit
      example  POLL_INTERVAL=5s
    "#);
    insta::assert_snapshot!(problem("DISCORD_GUILD_ID", "1000,#general"), @r##"
    DISCORD_GUILD_ID
      found    "#general"
      wanted   ids, numbers of some 18 digits, separated by commas
      example  DISCORD_GUILD_ID=123456789012345678
    "##);
    insta::assert_snapshot!(problem("DIGITALOCEAN_API_URL", "http://api.digitalocean.com"), @r#"
    DIGITALOCEAN_API_URL
      found    "http://api.digitalocean.com"
      wanted   an origin: https, host and port, without path, query or credentials (http for loopback only)
      example  DIGITALOCEAN_API_URL=https://api.digitalocean.com
    "#);
    insta::assert_snapshot!(problem("DISCORD_CONNECT_TO", "93.184.216.34:443"), @r#"
    DISCORD_CONNECT_TO
      found    "93.184.216.34:443"
      wanted   a loopback address and a port
      example  DISCORD_CONNECT_TO=127.0.0.1:8443
    "#);
}

#[test]
fn a_refused_secret_is_described_and_never_shown() {
    for (variable, value) in [
        ("DISCORD_TOKEN", "\"hunter2hunter2\""),
        ("DISCORD_TOKEN", "Bot hunter2"),
        ("DIGITALOCEAN_TOKEN", "hunter2 hunter2"),
        ("DIGITALOCEAN_TOKEN", "hunter2\u{fffd}"),
        ("DATABASE_URL", "mysql://root:hunter2@localhost/bot"),
        ("DATABASE_URL", "postgres://root:hunter2@[/bot"),
        ("DATABASE_URL", "hunter2"),
        ("DIGITALOCEAN_API_URL", "https://root:hunter2@api.digitalocean.com"),
        ("DIGITALOCEAN_API_URL", "https://hunter2@api.digitalocean.com"),
    ] {
        let told = problem(variable, value);
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_token_in_the_wrong_place_is_not_shown_either() {
    let token = "dop_v1_".to_owned() + &"0123456789abcdef".repeat(4);
    for variable in VARIABLES.iter().filter(|variable| !variable.name.ends_with("_TOKEN")) {
        if let Err(problems) = with(&[(variable.name, &token)]) {
            let told = problems.to_string();
            assert!(!told.contains("0123456789abcdef") || variable.name == "EXTRA_CA_FILE", "{told}");
        }
    }
}

#[test]
fn debug_output_of_a_config_holds_no_secret() {
    let config = with(&[("DATABASE_URL", "postgres://bot:hunter2@localhost/bot")]).unwrap();
    let shown = format!("{config:?} {config:#?}");
    for secret in [TOKEN, API_TOKEN, "hunter2"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let secrets: Vec<_> = config.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, [TOKEN, API_TOKEN, "hunter2"]);
    let config = with(&[("DATABASE_URL", "postgres://bot:h%23+%26@localhost/bot?password=other%40")]).unwrap();
    let secrets: Vec<_> = config.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, [TOKEN, API_TOKEN, "h#+&", "h%23+%26", "other@"]);
}

#[test]
fn the_token_travels_in_the_clear_on_loopback_only() {
    for fine in [
        "https://api.digitalocean.com",
        "https://api.digitalocean.com:8443/",
        "http://127.0.0.1:8080",
        "http://localhost:1",
        "http://[::1]:9",
    ] {
        assert!(with(&[("DIGITALOCEAN_API_URL", fine)]).is_ok(), "{fine}");
    }
    for bad in [
        "http://api.digitalocean.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0:80",
        "ftp://127.0.0.1",
        "https://api.digitalocean.com/v2",
        "https://api.digitalocean.com?x=1",
        "https://api.digitalocean.com#x",
        "api.digitalocean.com",
        "https://",
    ] {
        problem("DIGITALOCEAN_API_URL", bad);
    }
}

#[test]
fn the_token_goes_to_another_host_only_if_that_is_said_twice() {
    for elsewhere in ["https://api.example.com", "https://api.digitalocean.com.example.com", "https://digitalocean.com"]
    {
        let told = problem("DIGITALOCEAN_API_URL", elsewhere);
        assert!(told.contains("ALLOW_OTHER_API_HOST=yes"), "{told}");
        let refused = with(&[("DIGITALOCEAN_API_URL", elsewhere), ("ALLOW_OTHER_API_HOST", "no")]);
        assert!(refused.is_err(), "{elsewhere}");
        let allowed = with(&[("DIGITALOCEAN_API_URL", elsewhere), ("ALLOW_OTHER_API_HOST", "Yes")]);
        assert_eq!(allowed.unwrap().digitalocean.api_url.as_str(), format!("{elsewhere}/"));
    }
    problem("ALLOW_OTHER_API_HOST", "perhaps");
    // Plain http stays limited to loopback, whatever else is allowed.
    assert!(with(&[("DIGITALOCEAN_API_URL", "http://api.example.com"), ("ALLOW_OTHER_API_HOST", "yes")]).is_err());
}

/// The configuration with only these variables.
fn only(values: &[(&str, &str)]) -> Result<Config, Problems> {
    let values: BTreeMap<_, _> = values.iter().copied().collect();
    Config::from_lookup(|name| values.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn secrets_may_lie_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let discord = file("discord", &format!("{TOKEN}\n"));
    let digitalocean = file("digitalocean", &format!("\n {API_TOKEN} "));
    let database = file("database", "postgres://bot:hunter2@localhost/bot\r\n");
    let config = only(&[
        ("DISCORD_TOKEN_FILE", &discord),
        ("DISCORD_GUILD_ID", "1000"),
        ("DIGITALOCEAN_TOKEN_FILE", &digitalocean),
        ("DATABASE_URL_FILE", &database),
    ])
    .unwrap();
    let secrets: Vec<_> = config.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, [TOKEN, API_TOKEN, "hunter2"]);
    assert_eq!(config.database_url.expose_secret(), "postgres://bot:hunter2@localhost/bot");
    let files = [config.discord.token_file, config.digitalocean.token_file, config.database_url_file];
    for (file, secret) in files.into_iter().zip([TOKEN, API_TOKEN, "postgres://bot:hunter2@localhost/bot"]) {
        assert_eq!(file.unwrap().read().unwrap().expose_secret(), secret);
    }
    let config = with(&[]).unwrap();
    assert_eq!((config.discord.token_file, config.database_url_file), (None, None));
}

#[test]
fn a_secret_comes_from_one_place_and_a_file_that_gives_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let name = path.to_str().unwrap();
    let guild = ("DISCORD_GUILD_ID", "1000");
    std::fs::write(&path, TOKEN).unwrap();
    insta::assert_snapshot!(problem("DISCORD_TOKEN_FILE", name), @"
    DISCORD_TOKEN_FILE
      found    set together with DISCORD_TOKEN
      wanted   one of DISCORD_TOKEN and DISCORD_TOKEN_FILE
      example  DISCORD_TOKEN_FILE=/run/secrets/discord_token
    ");
    let told = with(&[("DATABASE_URL", "sqlite://x.db"), ("DATABASE_URL_FILE", name)]).unwrap_err().to_string();
    assert!(told.contains("one of DATABASE_URL and DATABASE_URL_FILE"), "{told}");
    // Without the plain variable, only the file's content counts.
    for (text, wrong) in [("", "the file is empty"), (" \n", "the file is empty"), ("hunter2 hunter2", "white space")] {
        std::fs::write(&path, text).unwrap();
        let problems = only(&[guild, ("DISCORD_TOKEN", TOKEN), ("DIGITALOCEAN_TOKEN_FILE", name)]).unwrap_err();
        let told: Vec<_> = problems.iter().map(Problem::variable).collect();
        assert_eq!(told, ["DIGITALOCEAN_TOKEN_FILE"]);
        let told = problems.to_string();
        assert!(told.contains(wrong) && told.contains(name) && !told.contains("hunter2"), "{told}");
    }
    std::fs::remove_file(&path).unwrap();
    let problems = only(&[guild, ("DISCORD_TOKEN_FILE", name), ("DIGITALOCEAN_TOKEN", API_TOKEN)]).unwrap_err();
    assert!(problems.to_string().contains("No such file"), "{problems}");
    // A value that was meant to be the token itself is not shown.
    let problems = only(&[guild, ("DISCORD_TOKEN", TOKEN), ("DIGITALOCEAN_TOKEN_FILE", &API_TOKEN.repeat(3))]);
    assert!(!problems.unwrap_err().to_string().contains(API_TOKEN));
}

#[test]
fn only_how_one_logs_in_may_differ_where_a_database_is_the_same() {
    let same = |one: &str, other: &str| is_same_database(&one.into(), &other.into());
    let one = "postgres://bot:old@db.example/bot?sslmode=require";
    assert!(same(one, "postgresql://other:new@db.example:5432/bot?sslmode=verify-full&user=bot"));
    for other in [
        "postgres://bot:old@db.example/other",
        "postgres://bot:old@db2.example/bot",
        "postgres://bot:old@db.example:5433/bot",
        "postgres://bot:old@db.example/bot?host=db2.example",
        "postgres://bot:old@db.example/bot?dbname=other",
        "postgres://bot:old@db.example/bot?options[search_path]=other",
        "sqlite://bot.db",
    ] {
        assert!(!same(one, other) && !same(other, one), "{other}");
    }
    assert!(same("sqlite://bot.db", "sqlite://bot.db") && !same("sqlite://bot.db", "sqlite://other.db"));
}

#[test]
fn postgresql_in_the_clear_on_another_host_earns_a_warning() {
    let warned = |url: &str, more: &[(&str, &str)]| {
        let config = with(&[&[("DATABASE_URL", url)], more].concat()).unwrap();
        config.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for clear in [
        "postgres://bot:hunter2@db.example/bot",
        "postgres://bot:hunter2@db.example/bot?sslmode=prefer",
        "postgres://bot:hunter2@db.example/bot?ssl-mode=DISABLE",
        "postgres://bot:hunter2@10.0.0.5/bot?sslmode=allow",
        "postgres://bot:hunter2@localhost/bot?host=db.example",
    ] {
        let told = warned(clear, &[]);
        assert!(told.contains("sslmode=verify-full") && !told.contains("hunter2"), "{clear}: {told}");
    }
    for fine in [
        "sqlite://bot.db",
        "postgres://bot:hunter2@localhost/bot",
        "postgres://bot:hunter2@127.0.0.1/bot?sslmode=disable",
        "postgres://bot:hunter2@[::1]:5432/bot",
        "postgres:///bot?host=/run/postgresql",
        "postgres://bot:hunter2@%2Frun%2Fpostgresql/bot",
        "postgres://bot:hunter2@db.example/bot?sslmode=require",
        "postgres://bot:hunter2@db.example/bot?sslmode=verify-full",
    ] {
        assert_eq!(warned(fine, &[]), "", "{fine}");
    }
    assert_eq!(warned("postgres://bot@db.example/bot", &[("PGSSLMODE", "verify-full")]), "");
}

#[test]
fn admins_may_be_worth_nothing_if_a_role_can_do_everything() {
    assert_eq!(with(&[]).unwrap().policy.admins_may(), AdminsMay::Everything);
    let config = with(&[("ADMINS_MAY", "nothing"), ("RESTORE_ROLES", "4")]).unwrap();
    let admin = Person {
        guild: Some(GuildId(1000)),
        user: UserId(9),
        roles: [].into(),
        administrator: true,
        manage_guild: true,
    };
    assert_eq!(config.policy.greatest(&admin), None);
    assert_eq!(config.policy.greatest(&Person { roles: [RoleId(4)].into(), ..admin }), Some(Right::Restore));
    assert!(problem("ADMINS_MAY", "nothing").contains("RESTORE_ROLES set too"));
    problem("ADMINS_MAY", "something");
}

#[test]
fn discord_is_only_ever_replaced_by_a_loopback_address_with_its_own_root() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let root = rcgen::generate_simple_self_signed(["discord.com".to_owned()]).unwrap();
    std::fs::write(&file, root.cert.pem()).unwrap();
    let path = file.to_str().unwrap();

    let config = with(&[("DISCORD_CONNECT_TO", "127.0.0.1:8443"), ("EXTRA_CA_FILE", path)]).unwrap();
    let simulator = config.discord.simulator.unwrap();
    assert_eq!(simulator.connect_to, "127.0.0.1:8443".parse().unwrap());
    assert!(simulator.root_certificate.contains("BEGIN CERTIFICATE"));

    let missing = |extra: &[(&str, &str)]| with(extra).unwrap_err().iter().map(Problem::variable).collect::<Vec<_>>();
    assert_eq!(missing(&[("DISCORD_CONNECT_TO", "127.0.0.1:8443")]), ["EXTRA_CA_FILE"]);
    assert_eq!(missing(&[("EXTRA_CA_FILE", path)]), ["DISCORD_CONNECT_TO"]);
    assert!(problem("EXTRA_CA_FILE", "/nowhere/ca.pem").contains("/nowhere/ca.pem"));
    std::fs::write(&file, "no certificate").unwrap();
    assert!(problem("EXTRA_CA_FILE", path).contains("no certificate in it"));
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n").unwrap();
    assert!(problem("EXTRA_CA_FILE", path).contains("a certificate that cannot be read"));
    for bad in ["discord.example.com:443", "10.0.0.1:443", "127.0.0.1", "127.0.0.1:0"] {
        problem("DISCORD_CONNECT_TO", bad);
    }
}

#[test]
fn durations_need_a_unit_and_stay_within_bounds() {
    let config = with(&[("POLL_INTERVAL", "100ms"), ("DECISION_TIMEOUT", "1h 30m")]).unwrap();
    assert_eq!(config.timing.poll_interval, SignedDuration::from_millis(100));
    assert_eq!(config.timing.decision_timeout, SignedDuration::from_mins(90));
    for bad in ["5", "0s", "-5s", "1ms", "6m", "1mo", "soon", "99999999999999999999h"] {
        problem("POLL_INTERVAL", bad);
    }
    problem("SHUTDOWN_TIMEOUT", "2h");
    problem("DECISION_TIMEOUT", "25h");
    problem("SETTLE_TIME", "1d");
}

#[test]
fn history_is_kept_for_days() {
    let kept = |text: &str| with(&[("KEEP_HISTORY", text)]).unwrap().timing.keep_history;
    assert_eq!(with(&[]).unwrap().timing.keep_history, SignedDuration::from_hours(365 * 24));
    assert_eq!(kept("30d"), SignedDuration::from_hours(30 * 24));
    assert_eq!(kept("168h"), kept("7 d"));
    for bad in ["6d", "3651d", "-7d", "4294967296d", "1h", "365", "1y", "d"] {
        problem("KEEP_HISTORY", bad);
    }
}

#[test]
fn a_password_that_is_not_encoded_is_never_taken_for_a_host() {
    for (bad, told) in [
        ("postgres://bot:hun/ter2@db.example/bot", "@ as %40"),
        ("postgres://bot:#hunter2@db.example/bot", "# as %23"),
        ("postgres://bot:hunter2?@db.example:5432/bot", "? as %3F"),
        ("postgres://bot:hunter2@/x@db.example/bot", "/ as %2F"),
        ("postgresql://bot:12/hunter2@db.example/bot", "percent-encoded"),
    ] {
        let problem = problem("DATABASE_URL", bad);
        assert!(problem.contains(told), "{problem}");
        assert!(!problem.contains("ter2") && !problem.contains("db.example"), "{problem}");
    }
    for fine in [
        "postgres://bot:hun%2Fter2@db.example/bot?sslmode=require",
        "postgres://bot:hunter2%40%23@[::1]:5432/bot",
        "postgres://bot:h@nter2@db.example/bot",
        "postgres:///bot?host=/run/postgresql",
    ] {
        assert!(with(&[("DATABASE_URL", fine)]).is_ok(), "{fine}");
    }
}

#[test]
fn ids_are_positive_numbers_that_a_database_can_hold() {
    for bad in ["0", "-1", "+1", "abc", "9223372036854775808", "1 2", ","] {
        problem("DISCORD_GUILD_ID", bad);
        problem("TAKE_ROLES", bad);
    }
    problem("NOTIFY_CHANNEL_ID", "1,2");
    problem("REPORT_CHANNEL_ID", "#ops");
    problem("FAILURE_ROLE", "1,2");
}

#[test]
fn a_guilds_own_id_wakes_everyone_and_is_no_failure_role() {
    let guild = with(&[]).unwrap().policy.guilds().next().unwrap();
    problem("FAILURE_ROLE", &guild.to_string());
    let config = with(&[("FAILURE_ROLE", "4242")]).unwrap();
    assert_eq!(config.discord.failure_role.map(|role| role.0), Some(4242));
}

#[test]
fn databases_are_files_or_postgresql_and_never_forgetful() {
    for fine in [
        "sqlite://bot.db",
        "sqlite:bot.db",
        "sqlite:///data/bot.db?mode=rwc",
        "postgres://localhost/bot",
        "postgresql://u:p@db:5432/bot",
    ] {
        assert!(with(&[("DATABASE_URL", fine)]).is_ok(), "{fine}");
    }
    for bad in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://x?mode=memory",
        "sqlite://",
        "mysql://localhost/bot",
        "bot.db",
        "postgres:bot",
    ] {
        problem("DATABASE_URL", bad);
    }
}

#[test]
fn the_remaining_values_are_checked_too() {
    problem("DROPLET_TAG", "two words");
    problem("SNAPSHOT_PRICE_PER_GB", "$0.06");
    problem("SNAPSHOT_PRICE_PER_GB", "NaN");
    problem("SNAPSHOT_PRICE_PER_GB", "-1");
    problem("HTTP_ADDR", "8080");
    problem("LOG_FORMAT", "xml");
    problem("RUST_LOG", "info,snapshot_bot=loud");
    let config = with(&[("HTTP_ADDR", "localhost:8080"), ("LOG_FORMAT", "JSON"), ("DROPLET_TAG", "env:prod")]).unwrap();
    assert_eq!(config.http_addr, Some("127.0.0.1:8080".parse().unwrap()));
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.digitalocean.droplet_tag.as_deref(), Some("env:prod"));
}

#[test]
fn roles_become_the_policy() {
    let config = with(&[("VIEW_ROLES", "1"), ("TAKE_ROLES", "2,3"), ("RESTORE_ROLES", "4")]).unwrap();
    let greatest = |role| {
        let person = Person {
            guild: Some(GuildId(1000)),
            user: UserId(9),
            roles: [RoleId(role)].into(),
            administrator: false,
            manage_guild: false,
        };
        config.policy.greatest(&person)
    };
    assert_eq!(greatest(1), Some(Right::View));
    assert_eq!(greatest(3), Some(Right::Take));
    assert_eq!(greatest(4), Some(Right::Restore));
    assert_eq!(greatest(5), None);
}

#[test]
fn names_that_look_like_ours_earn_a_warning_and_others_do_not() {
    let told =
        |name: &str| misspelled([name.to_owned()]).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(
        told("DISCORD_GUILDID"),
        "the variable DISCORD_GUILDID is not known and was ignored: did you mean DISCORD_GUILD_ID?"
    );
    for near in ["DISCORD_GUILD_IDS", "DIGITAL_OCEAN_TOKEN", "HTTP_ADR", "TAKE_ROLE", "discord_token"] {
        assert!(!told(near).is_empty(), "{near}");
    }
    for other in
        ["PATH", "HOME", "HTTP_PROXY", "RUST_BACKTRACE", "DIGITALOCEAN_ACCESS_TOKEN", "TEST_DATABASE_URL", "LOG_LEVEL"]
    {
        assert_eq!(told(other), "", "{other}");
    }
    assert!(VARIABLES.iter().all(|variable| told(variable.name).is_empty()));
}

#[test]
fn env_example_is_what_the_code_renders() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
    if std::env::var_os("UPDATE_ENV_EXAMPLE").is_some() {
        std::fs::write(path, env_example()).unwrap();
    }
    let file = std::fs::read_to_string(path).unwrap();
    assert_eq!(file, env_example(), "`.env.example` is out of date: UPDATE_ENV_EXAMPLE=1 cargo test --test config");
}

#[test]
fn the_docs_name_every_variable_with_its_default_and_no_other() {
    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, VARIABLES.len(), "docs/configuration.md has a row that is no variable");
    for variable in VARIABLES {
        let row = table.lines().find(|line| line.starts_with(&format!("| `{}` |", variable.name)));
        let row = row.unwrap_or_else(|| panic!("docs/configuration.md has no row for {}", variable.name));
        let default = match variable.unset {
            Unset::Refused => "required".to_owned(),
            Unset::Default(value) => format!("`{value}`"),
            Unset::Absent(absence) => absence.to_owned(),
        };
        assert!(row.ends_with(&format!("| {default} |")), "docs/configuration.md should give {default:?} in: {row}");
    }
}

#[test]
fn every_example_in_the_table_would_be_accepted() {
    for variable in
        VARIABLES.iter().filter(|variable| !variable.name.ends_with("_TOKEN") && !variable.name.ends_with("_FILE"))
    {
        let refused = with(&[(variable.name, variable.example)]).err();
        let own = refused.iter().flat_map(Problems::iter).find(|problem| problem.variable() == variable.name);
        assert_eq!(own, None, "{}", variable.name);
    }
}

proptest! {
    #[test]
    fn no_value_of_any_variable_panics_or_leaks(which in 0..VARIABLES.len(), value in "\\PC{0,60}hunter2\\PC{0,20}") {
        let variable = VARIABLES[which];
        if let Err(problems) = with(&[(variable.name, &value)]) {
            prop_assert!(!variable.secret || !problems.to_string().contains("hunter2"));
        }
    }
}
