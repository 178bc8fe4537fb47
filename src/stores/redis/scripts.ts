// What happens in one step on the server. Each script touches one key only, so that it runs in a Cluster. It is sent
// whole each time: EVALSHA would save a tenth of a write that happens about once a minute, and would need a fallback
// for servers that have forgotten the script.

/**
 * Replaces a record if its version is still the one that was read. KEYS: the record. ARGV: how that version begins
 * (`7.`), the new record, milliseconds to live. A record with the mark of this very write was written by it: a client
 * that reconnected sent the command twice.
 */
export const REPLACE = `
local held = redis.call('GETRANGE', KEYS[1], 0, 31)
if held == '' then return 'absent' end
if held == string.sub(ARGV[2], 1, 32) then return 'ok' end
if string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 'conflict' end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 'ok'`

/** Removes a record and returns it, since only the record tells in whose index it is listed. KEYS: the record. */
export const REMOVE = `
local held = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return held`

/**
 * Lists a session under its user. KEYS: the index. ARGV: the time up to which entries are dead, the new entry's
 * deadline, its id, milliseconds to live. The index lives as long as its longest entry. Dead entries are removed at
 * each login, so the index never holds more than the logins of one lifetime.
 */
export const LIST = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end`
