-- What a gate learns from an answer. Put in front of settle and tell.
-- step: answer ('ok', 'throttled', 'refused' or 'down'), reason, retry_ms, jitter, probe_ms, down_after, down_ms,
--       down_most_ms, limit, remaining, window_ms
local MEASURED_MS = 60000

local function close(gate, until_ms, why)
  local gkey = gate_key(gate)
  local known = tonumber(redis.call('HGET', gkey, 'closed_until') or 0)
  if until_ms > known then redis.call('HSET', gkey, 'closed_until', int(until_ms), 'closed_why', why) end
end

-- From refusals alone: so many calls passed between the opening of the gate and the time it was told to wait for.
local function learn_from_refusal(gkey, now, reopens)
  local g = fields(gkey, 'opened_at', 'answered', 'taught_count', 'taught_period', 'count', 'period')
  local seen = pair(tonumber(g[2] or 0), reopens - tonumber(g[1] or now))
  local known, configured = pair(g[3], g[4]), pair(g[5], g[6])
  if seen.count > 0 and seen.period > 0 then
    local base = known or configured
    if base then
      local rate = math.min(0.95 * seen.count / seen.period, 0.9 * base.count / base.period)
      local least = configured and configured.count * base.period / configured.period / 20 or 1
      seen = {count = math.max(1, math.ceil(least), math.floor(rate * base.period)), period = base.period}
    end
    redis.call('HSET', gkey, 'taught_count', int(seen.count), 'taught_period', int(seen.period), 'taught_at', int(reopens))
  end
  redis.call('HSET', gkey, 'opened_at', int(reopens), 'answered', 0)
end

-- Counts what passes, and forgets slowly: idle hours say nothing of a limit.
local function count_answer(gkey, now)
  local g = fields(gkey, 'opened_at', 'answered', 'answered_at')
  local opened, answered = tonumber(g[1] or now), tonumber(g[2] or 0)
  if now - tonumber(g[3] or now) > MEASURED_MS then
    opened, answered = now, 0
  elseif now - opened > 2 * MEASURED_MS then
    answered = math.floor(answered * MEASURED_MS / (now - opened))
    opened = now - MEASURED_MS
  end
  redis.call('HSET', gkey, 'opened_at', int(opened), 'answered', int(answered + 1), 'answered_at', int(now))
end

-- What was taught is tried again, a little more each period that ends without a refusal.
local function grow(gate, now)
  local gkey = gate_key(gate)
  count_answer(gkey, now)
  local g = fields(gkey, 'taught_count', 'taught_period', 'taught_at', 'count', 'period')
  local taught, configured = pair(g[1], g[2]), pair(g[4], g[5])
  if not taught or now < tonumber(g[3]) + math.min(taught.period, MEASURED_MS) then return end
  local grown = {count = math.max(taught.count + 1, math.floor(taught.count * 1.05)), period = taught.period}
  if configured and grown.count * configured.period >= configured.count * grown.period then
    redis.call('HDEL', gkey, 'taught_count', 'taught_period', 'taught_at')
  else
    redis.call('HSET', gkey, 'taught_count', int(grown.count), 'taught_at', int(now))
  end
  unblock(gate, now)
end

-- The provider's own count: others may use the same limit. Calls that still run may not be in it yet.
local function learn_from_headers(gate, now, step)
  local gkey, running = gate_key(gate), 0
  local said = fields(gkey, 'said_count', 'said_period')
  if said[1] ~= int(step.limit) or said[2] ~= int(step.window_ms) then
    redis.call('HSET', gkey, 'said_count', int(step.limit), 'said_period', int(step.window_ms))
    unblock(gate, now)
  end
  if not step.remaining then return end
  for _, account in ipairs(redis.call('SMEMBERS', members_key(gate))) do
    running = running + redis.call('ZCARD', inflight_key(account))
  end
  local before = redis.call('HGET', gkey, 'left')
  if not before then redis.call('HSET', gkey, 'passed_at', int(now)) end
  redis.call('HSET', gkey, 'left', int(step.remaining - running))
  if tonumber(before or 1) <= 1 and step.remaining > running then unblock(gate, now) end
end

local function provider_is_down(gate, now, step)
  local gkey = gate_key(gate)
  local failures = redis.call('HINCRBY', gkey, 'failures', 1)
  if failures < step.down_after or tonumber(redis.call('HGET', gkey, 'closed_until') or 0) > now then return end
  local outages = redis.call('HINCRBY', gkey, 'outages', 1)
  local wait = math.min(step.down_most_ms, step.down_ms * 2 ^ math.min(outages - 1, 20))
  close(gate, now + wait * (1 + 0.2 * step.jitter), 'unavailable: ' .. step.reason)
  redis.call('HSET', gkey, 'probing', redis.call('HGET', gkey, 'slots') or 0)
end

local function provider_is_up(gate, account, now)
  local changed = redis.call('HDEL', gate_key(gate), 'failures', 'outages', 'probing')
  if redis.call('HGET', pause_key(account), 'by') == 'provider' then
    changed = changed + redis.call('DEL', pause_key(account))
  end
  if changed > 0 then unblock(gate, now) end
end

local function teach(gate, account, now, step)
  local gkey = gate_key(gate)
  if step.answer == 'throttled' then
    local was_open = tonumber(redis.call('HGET', gkey, 'closed_until') or 0) <= now
    local refusals = was_open and redis.call('HINCRBY', gkey, 'refusals', 1) or 1
    local asked = step.retry_ms or math.min(60000, 1000 * 2 ^ math.min(refusals - 1, 10))
    local reopens = math.ceil(now + asked + step.jitter * math.min(1000, 20 + asked * 0.02))
    if was_open then learn_from_refusal(gkey, now, reopens) end
    close(gate, reopens, 'rate limited')
    local asked_until = tonumber(redis.call('HGET', gkey, 'asked_until') or 0)
    redis.call('HSET', gkey, 'asked_until', int(math.max(reopens, asked_until)))
  elseif step.answer == 'refused' then
    if redis.call('HGET', pause_key(account), 'by') ~= 'person' then
      redis.call('HSET', pause_key(account), 'reason', step.reason, 'by', 'provider', 'at', int(now),
        'probe_at', int(now + step.probe_ms))
    end
  elseif step.answer == 'down' then
    provider_is_down(gate, now, step)
  else
    grow(gate, now)
    redis.call('HDEL', gkey, 'refusals')
    provider_is_up(gate, account, now)
  end
  if step.limit and step.window_ms then learn_from_headers(gate, now, step) end
end
