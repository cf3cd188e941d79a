-- Counts the changes after which a key that was good may be good no more. Who remembers a key remembers the count that
-- it was read at, and the statement that records what the key asked for demands that it still stands: so a key that was
-- revoked gets nothing recorded, whoever revoked it and however. New keys are not counted, for nobody remembers them.
create table key_epoch (
  epoch bigint not null
);
insert into key_epoch (epoch) values (0);

create function count_key_change() returns trigger language plpgsql as $$
begin
  update key_epoch set epoch = epoch + 1;
  return null;
end
$$;

create trigger key_changed after update of agent, secret_sha256, revoked_at, expires_at on api_key
  for each statement execute function count_key_change();
create trigger key_removed after delete or truncate on api_key
  for each statement execute function count_key_change();
