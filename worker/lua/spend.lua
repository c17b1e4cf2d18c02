-- A call other than a delivery asks to pass the gate. ARGV: gate, account, owed ms (how long a place is kept where
-- none is free). Returns 0 where it may go now, the milliseconds until it may ask again, or -1 where it is paused.
local gate, owed = ARGV[1], tonumber(ARGV[3])
if redis.call('EXISTS', pause_key(ARGV[2])) == 1 then return -1 end
local now = now_ms()
local key = gate_key(gate)
local closed_until = tonumber(redis.call('HGET', key, 'closed_until') or 0)
if closed_until > now then return closed_until - now end
local limit = limit_of(gate)
local free, next_free = room_at(gate, limit, now)
if free > 0 then
  note_passed(gate, limit, now)
  if redis.call('HDEL', key, 'owed_until') == 1 then unblock(gate, now) end
  return 0
end
-- Where the window has one place alone, keeping it keeps every delivery waiting: a window long, no longer.
if limit and limit.count == 1 then owed = math.min(owed, limit.period) end
redis.call('HSET', key, 'owed_until', int(next_free + owed))
return math.max(1, next_free - now)
