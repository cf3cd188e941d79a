-- Who may use the service. Secrets are stored as SHA-256 only: they are random, so no slow hash is needed.

create table api_key (
  id text primary key,
  agent text not null,
  secret_sha256 bytea not null,
  created_at timestamptz not null,
  revoked_at timestamptz
);

create table person (
  id text primary key,
  roles text[] not null,
  created_at timestamptz not null
);

create table sign_in_link (
  token_sha256 bytea primary key,
  person text not null references person (id),
  expires_at timestamptz not null,
  used_at timestamptz
);

create table session (
  token_sha256 bytea primary key,
  person text not null references person (id),
  created_at timestamptz not null,
  expires_at timestamptz not null
);
