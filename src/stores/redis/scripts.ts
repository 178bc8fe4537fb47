// What happens in one step on the server. In a Cluster each script touches one key only. It is sent whole each time:
// EVALSHA would save a tenth of a write that happens every few minutes, and would need a fallback for servers that
// have forgotten the script.

/**
 * Lists a session under its user. `ttl`: milliseconds until it can't be alive. All times here are the server's, which
 * also decides when a record expires: a node with a wrong clock can't remove what is alive. For the same reason a
 * deadline is never moved back. A second more or less is not worth a write.
 */
const list = `
local function list(index, id, ttl)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
  local listed = redis.call('ZSCORE', index, id)
  if not listed or listed + 1000 < now + ttl then redis.call('ZADD', index, now + ttl, id) end
  if redis.call('PTTL', index) + 1000 < tonumber(ttl) then redis.call('PEXPIRE', index, ttl) end
end`

/**
 * What a value begins with: its version, and the marks of the latest writes, newest first. 64 marks of 12 characters
 * and the rest fit into the first kilobyte.
 */
const headOf = `
local function headOf(held) return string.match(held, '^(%d+)%.([^:]*)') end`

/**
 * Keeps a new record, and lists it where its index is on the same server. KEYS: the record, its index or none.
 * ARGV: the mark of this write, the value, milliseconds to live, the id, milliseconds to be listed. Returns `again` where
 * this very write was done before: a client that reconnects sends what it got no reply to once more.
 */
export const INSERT = `${headOf}${list}
if not redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3], 'NX') then
  local _, marks = headOf(redis.call('GETRANGE', KEYS[1], 0, 1023))
  return marks and string.find(marks, ARGV[1], 1, true) and 'again' or 'taken'
end
if KEYS[2] then list(KEYS[2], ARGV[4], ARGV[5]) end
return 'ok'`

/**
 * Replaces a record if its version is still the one that was read. KEYS: the record, its index or none. ARGV: that
 * version, the mark of this write, the new version, the new record, milliseconds to live, the id, milliseconds to be
 * listed, and the channel on which to publish that the session has ended, where the new record says so.
 *
 * The marks of the last minute stay in the value. So a write that is sent twice counts once, also where another write
 * came in between: its mark says that it was done.
 */
export const REPLACE = `${headOf}${list}
local held = redis.call('GETRANGE', KEYS[1], 0, 1023)
if held == '' then return 'absent' end
local version, marks = headOf(held)
if marks and string.find(marks, ARGV[2], 1, true) then return 'ok' end
if version ~= ARGV[1] then return 'conflict' end
local now = redis.call('TIME')[1]
local earlier, writtenAt = string.match(marks, '^([^@]*)@?(%d*)$')
if writtenAt ~= '' and now - writtenAt > 60 then earlier = '' end
local kept = string.sub(ARGV[2] .. ',' .. (earlier or ''), 1, 64 * 13)
redis.call('SET', KEYS[1], ARGV[3] .. '.' .. kept .. '@' .. now .. ':' .. ARGV[4], 'PX', ARGV[5])
if KEYS[2] then list(KEYS[2], ARGV[6], ARGV[7]) end
if ARGV[8] then redis.call('PUBLISH', ARGV[8], ARGV[6]) end
return 'ok'`

/**
 * Removes a record and returns it, since only the record tells in whose index it is listed. KEYS: the record. ARGV:
 * nothing, or the channel on which to publish the end, and the id. It is published in the same step, so that no crash
 * lies in between.
 */
export const REMOVE = `
local held = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
if held and ARGV[1] then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
return held`

/** Lists a session. KEYS: the index. ARGV: the id, milliseconds to be listed. */
export const LIST = `${list}
list(KEYS[1], ARGV[1], ARGV[2])`

/**
 * Returns ids and their deadlines, in the order of the index, at most so many. KEYS: the index. ARGV: the deadline and
 * the id after which the page begins, how many. Ids of one deadline follow each other in the order of their text.
 */
export const PAGE = `
local page, skipped = {}, 0
repeat
  local some = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', skipped, ARGV[3])
  for at = 1, #some, 2 do
    local isAfter = some[at + 1] ~= ARGV[1] or some[at] > ARGV[2]
    if isAfter and #page < 2 * ARGV[3] then
      page[#page + 1] = some[at]
      page[#page + 1] = some[at + 1]
    end
  end
  skipped = skipped + ARGV[3]
until #page == 2 * ARGV[3] or #some < 2 * ARGV[3]
return page`
