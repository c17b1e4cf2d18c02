-- How much a gate lets pass: "at most `count` calls in any `period` milliseconds", counted exactly. `passed`
-- holds the time of each call of the last period. A window's calls may go at once when it opens: that is the most that
-- any provider takes, whether its window is fixed, slides, or is a bucket that fills again.
local DEFAULT_QUANTUM = 1000
-- So far apart calls go that find out how long the window lasts, and whether others left anything.
local ASSUMED_APART_MS, LOOK_APART_MS = 1000, 10000
-- Calls are kept so much longer: an answer tells of the moment at which its call arrived.
local ANSWERED_MS = 1000

-- Calls that are on their way as long as ever still reach the provider some milliseconds apart from how they left: in a
-- burst, which two cores send one after the other, a dozen or so. Windows of less than a second have less to spare.
local function guard_ms(period)
  return math.min(200, math.max(5, math.min(12, math.ceil(period / 80)), math.ceil(period / 125)))
end

-- Of two that are equally fast the one with the smaller window.
local function slower(a, b)
  if not a then return b end
  if not b then return a end
  local difference = b.count * a.period - a.count * b.period
  if difference < 0 or (difference == 0 and b.count < a.count) then return b end
  return a
end

local function pair(count, period)
  return count and period and {count = tonumber(count), period = tonumber(period)} or nil
end

-- The limit in force: the lowest of what is configured, what the provider says and what its refusals taught.
-- A burst below the count keeps the rate and shortens the window.
local function limit_of(gate)
  local f = fields(gate_key(gate), 'count', 'period', 'said_count', 'said_period', 'taught_count', 'taught_period', 'burst',
    'assumed')
  local said = pair(f[3], f[4])
  local limit = slower(slower(pair(f[1], f[2]), said), pair(f[5], f[6]))
  if limit and limit == said then limit.assumed = f[8] end
  local burst = tonumber(f[7] or 0)
  if limit and burst > 0 and burst < limit.count then
    limit = {count = burst, period = math.ceil(limit.period * burst / limit.count)}
  end
  return limit
end

-- How long a call keeps its place.
local function kept_ms(limit)
  return limit.period + guard_ms(limit.period)
end

-- The calls of ours that are in the window that ends at `at`.
local function used_at(gate, limit, at)
  return redis.call('ZCOUNT', passed_key(gate), '(' .. int(at - kept_ms(limit)), '+inf')
end

local function holds_place(gate, limit, slot, now)
  local at = score(passed_key(gate), slot)
  return at and at > now - kept_ms(limit)
end

-- When the call that is so far from the first in the window leaves it; nil where there is none.
local function place_free_at(gate, limit, now, number)
  local call = redis.call('ZRANGEBYSCORE', passed_key(gate), '(' .. int(now - kept_ms(limit)), '+inf', 'WITHSCORES',
    'LIMIT', int(number), 1)
  return call[2] and tonumber(call[2]) + kept_ms(limit) + 1
end

-- The calls that the provider counts besides ours (lessons.lua), and until when: for a window, and no longer.
local function others_at(gate, limit, now)
  local f = fields(gate_key(gate), 'others', 'told_at')
  local forgotten_at = tonumber(f[2] or 0) + kept_ms(limit) + 1
  return forgotten_at > now and tonumber(f[1] or 0) or 0, forgotten_at
end

local function count_running(gate)
  local running = 0
  for _, account in ipairs(redis.call('SMEMBERS', busy_key(gate))) do
    running = running + redis.call('ZCARD', inflight_key(account))
  end
  return running
end

-- When a call may go although nothing is left, as its answer finds out: where how long the window lasts is an
-- assumption, and where others took most of it.
local function finds_out_at(gate, limit, used, others)
  local last = redis.call('ZRANGE', passed_key(gate), -1, -1, 'WITHSCORES')
  if not last[2] then return math.huge end
  if used >= limit.count then
    -- One at a time: how long it took tells of the window only where none went after it.
    if not limit.assumed or count_running(gate) > 0 then return math.huge end
    return tonumber(last[2]) + ASSUMED_APART_MS
  end
  if others <= used then return math.huge end
  return tonumber(last[2]) + math.max(LOOK_APART_MS, math.ceil(limit.period / limit.count))
end

-- How many calls may pass now, and when the next one may where none can.
local function room_at(gate, limit, now)
  if not limit then return DEFAULT_QUANTUM, now end
  redis.call('ZREMRANGEBYSCORE', passed_key(gate), '-inf', int(now - kept_ms(limit) - ANSWERED_MS))
  local used = used_at(gate, limit, now)
  local others, forgotten_at = others_at(gate, limit, now)
  local over = used + others - limit.count
  if over < 0 then return -over, now end
  local next_free = finds_out_at(gate, limit, used, others)
  if next_free <= now then return 1, now end
  -- A limit that shrank leaves more calls in the window than it allows: wait for as many as are over.
  next_free = math.min(next_free, place_free_at(gate, limit, now, over) or math.huge)
  if used < limit.count then next_free = math.min(next_free, forgotten_at) end
  return 0, next_free
end

-- Also where no limit is known: the first refusal or the first header is read in the light of what passed before it.
local function note_passed(gate, limit, now)
  local slot = redis.call('HINCRBY', gate_key(gate), 'slots', 1)
  local key = passed_key(gate)
  redis.call('ZADD', key, int(now), slot)
  if not limit then redis.call('ZREMRANGEBYRANK', key, 0, -DEFAULT_QUANTUM - 1) end
  redis.call('PEXPIRE', key, int((limit and limit.period or 0) + 60000))
  return slot
end
