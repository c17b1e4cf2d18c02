#!lua flags=allow-oom
-- Takes messages of Celery's from their lists and notes each as taken, in one step: whoever dies after it leaves nothing
-- that is nowhere. kombu pops first and notes then.
-- KEYS: unacked_index, unacked, inbox, and the lists, which come before one another.
-- ARGV: seconds since the epoch by the worker's clock, as all of them note it; how many at most; how many bytes are kept
-- of what is no message. Returns for each {list, tag, message}; and {list, '', ''} for what is none: it went into the inbox.
local index, unacked, inbox = KEYS[1], KEYS[2], KEYS[3]
local now, most, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local taken = {}

-- The tag, and what restores the message, as kombu writes it: into the list that it stood in, whatever its client says
-- of exchange and routing key.
local function note_of(raw, list)
  local tag = cjson.decode(raw).properties.delivery_tag
  assert(type(tag) == 'string')
  return tag, '[' .. raw .. ',"",' .. cjson.encode(string.match(list, '^(.-)\6\22') or list) .. ']'
end

local function take(list)
  local raw = redis.call('RPOP', list)
  if not raw then return false end
  local sound, tag, note = pcall(note_of, raw, list)
  if sound then
    redis.call('ZADD', index, now, tag)
    redis.call('HSET', unacked, tag, note)
    taken[#taken + 1] = {list, tag, raw}
  else
    redis.call('XADD', inbox, '*', 'job', string.sub(raw, 1, kept), 'fault', 'no_message')
    taken[#taken + 1] = {list, '', ''}
  end
  return true
end

for place = 4, #KEYS do
  while #taken < most and take(KEYS[place]) do end
end
return taken
