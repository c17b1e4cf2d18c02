-- What a gate learns from an answer. Put in front of settle and tell.
-- step: answer ('ok', 'throttled', 'refused' or 'down'), reason, retry_ms, maintenance, jitter, refused_after, probe_ms,
--       down_after, down_ms, down_most_ms, limit, remaining, window_ms, and of a delivery the slot under which it passed
local MEASURED_MS = 60000
-- What people want to be told of: gate_closed, gate_opened (or an account resumed), account_paused.
local news = ''

local function close(gate, until_ms, why)
  local gkey = gate_key(gate)
  local known = tonumber(redis.call('HGET', gkey, 'closed_until') or 0)
  if until_ms <= known then return end
  redis.call('HSET', gkey, 'closed_until', int(until_ms), 'closed_why', why)
  if known <= now_ms() then news = 'gate_closed' end
end

-- How many answers came since when; idle hours say nothing of a limit, so it forgets.
local function measured(gkey, now)
  local g = fields(gkey, 'opened_at', 'answered', 'answered_at')
  local opened, answered = tonumber(g[1] or now), tonumber(g[2] or 0)
  if now - tonumber(g[3] or now) > MEASURED_MS then return now, 0 end
  if now - opened > 2 * MEASURED_MS then
    return now - MEASURED_MS, math.floor(answered * MEASURED_MS / (now - opened))
  end
  return opened, answered
end

local function count_answer(gkey, now)
  local opened, answered = measured(gkey, now)
  redis.call('HSET', gkey, 'opened_at', int(opened), 'answered', int(answered + 1), 'answered_at', int(now))
end

-- From refusals alone: so many calls passed between the opening of the gate and the time it was told to wait for.
-- What is taught is never below a twentieth of what is configured or said, nor a call a minute.
local function learn_from_refusal(gkey, now, reopens)
  local g = fields(gkey, 'taught_count', 'taught_period', 'count', 'period', 'said_count', 'said_period')
  local opened, answered = measured(gkey, now)
  redis.call('HSET', gkey, 'opened_at', int(reopens), 'answered', 0)
  if answered == 0 or reopens <= opened then return end
  local seen = {count = answered, period = reopens - opened}
  local told = slower(pair(g[3], g[4]), pair(g[5], g[6]))
  local base = pair(g[1], g[2]) or told
  if base then
    local rate = math.min(0.95 * seen.count / seen.period, 0.9 * base.count / base.period)
    seen = {count = math.floor(rate * base.period), period = base.period}
  end
  local least = told and told.count * seen.period / told.period / 20 or seen.period / MEASURED_MS
  redis.call('HSET', gkey, 'taught_count', int(math.max(1, math.ceil(least), seen.count)),
    'taught_period', int(seen.period), 'taught_at', int(reopens), 'grown', 0)
end

-- What was taught is tried again: a little more after each period without a refusal, and each time twice as much more.
local function grow(gate, now)
  local gkey = gate_key(gate)
  count_answer(gkey, now)
  local g = fields(gkey, 'taught_count', 'taught_period', 'taught_at', 'count', 'period', 'grown')
  local taught, configured = pair(g[1], g[2]), pair(g[4], g[5])
  if not taught or now < tonumber(g[3]) + math.min(taught.period, MEASURED_MS) then return end
  local step = math.max(1, taught.count * math.min(1, 0.05 * 2 ^ tonumber(g[6] or 0)))
  local grown = {count = math.floor(taught.count + step), period = taught.period}
  if configured and grown.count * configured.period >= configured.count * grown.period then
    redis.call('HDEL', gkey, 'taught_count', 'taught_period', 'taught_at', 'grown')
  else
    redis.call('HSET', gkey, 'taught_count', int(grown.count), 'taught_at', int(now))
    redis.call('HINCRBY', gkey, 'grown', 1)
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

-- What passed before the outage was seen says nothing of how long it lasts.
local function passed_before_outage(gkey, step)
  local probing = redis.call('HGET', gkey, 'probing')
  return probing and step.slot and tonumber(step.slot) <= tonumber(probing)
end

local function provider_is_down(gate, now, step)
  local gkey = gate_key(gate)
  if passed_before_outage(gkey, step) then return end
  local failures = redis.call('HINCRBY', gkey, 'failures', 1)
  if failures < step.down_after or tonumber(redis.call('HGET', gkey, 'closed_until') or 0) > now then return end
  local outages = redis.call('HINCRBY', gkey, 'outages', 1)
  local wait = math.min(step.down_most_ms, step.down_ms * 2 ^ math.min(outages - 1, 20))
  close(gate, now + wait * (1 + 0.2 * step.jitter), 'unavailable: ' .. step.reason)
  redis.call('HSET', gkey, 'probing', redis.call('HGET', gkey, 'slots') or 0)
end

local function provider_is_up(gate, account, now, step)
  local key, opened = gate_key(gate), 0
  if not passed_before_outage(key, step) then
    opened = redis.call('HDEL', key, 'probing')
    redis.call('HDEL', key, 'failures', 'outages')
  end
  redis.call('HDEL', key, 'refused:' .. account)
  redis.call('HSET', key, 'passed:' .. account, int(now))
  if redis.call('HGET', pause_key(account), 'by') == 'provider' then
    opened = opened + redis.call('DEL', pause_key(account))
    take_turns_again(account, now)
  end
  if opened > 0 then
    news = 'gate_opened'
    unblock(gate, now)
  end
end

-- Several refusals in a row pause the account; one alone may be about its invitation.
local function credentials_are_refused(gate, account, now, step)
  local refused = redis.call('HINCRBY', gate_key(gate), 'refused:' .. account, 1)
  if refused < (step.refused_after or 1) or redis.call('HGET', pause_key(account), 'by') == 'person' then return end
  if redis.call('EXISTS', pause_key(account)) == 0 then news = 'account_paused' end
  redis.call('HSET', pause_key(account), 'reason', step.reason, 'by', 'provider', 'at', int(now),
    'probe_at', int(now + step.probe_ms))
end

local function teach(gate, account, now, step)
  local gkey = gate_key(gate)
  if step.answer == 'throttled' then
    local was_open = tonumber(redis.call('HGET', gkey, 'closed_until') or 0) <= now
    local refusals = was_open and redis.call('HINCRBY', gkey, 'refusals', 1) or 1
    local backoff = math.min(60000, 1000 * 2 ^ math.min(refusals - 1, 10))
    local asked = step.retry_ms or backoff
    -- No time at all, and again: a provider whose clock is wrong would be called without a pause.
    if asked < 1000 and refusals > 1 then asked = backoff end
    local reopens = math.ceil(now + asked + step.jitter * math.min(1000, 20 + asked * 0.02))
    if was_open and not step.maintenance then learn_from_refusal(gkey, now, reopens) end
    close(gate, reopens, 'rate limited')
    local asked_until = tonumber(redis.call('HGET', gkey, 'asked_until') or 0)
    redis.call('HSET', gkey, 'asked_until', int(math.max(reopens, asked_until)))
  elseif step.answer == 'refused' then
    credentials_are_refused(gate, account, now, step)
  elseif step.answer == 'down' then
    provider_is_down(gate, now, step)
  else
    grow(gate, now)
    redis.call('HDEL', gkey, 'refusals')
    -- Of a provider that answers questions and takes no invitations nothing good is learnt.
    if not step.beside then provider_is_up(gate, account, now, step) end
  end
  if step.limit and step.window_ms then learn_from_headers(gate, now, step) end
end
