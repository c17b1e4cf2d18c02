-- What a gate learns from an answer. Put in front of settle and tell.
-- step: answer ('ok', 'throttled', 'refused' or 'down'), reason, retry_ms, maintenance, jitter, refused_after, probe_ms,
--       down_after, down_ms, down_most_ms, limit, remaining, window_ms, and of a delivery the slot under which it passed
--       and when its call began
local MEASURED_MS = 60000
-- Of a window: so much later than it began a call may count, and one of a gate's first window.
local LATE_PART, FIRST_LATE_PART = 25, 5
-- A try for more that is refused costs about a second, however short the window is. Where nothing ever passes more, one
-- call in an hour is refused.
local TRY_MS, TRY_MOST_MS = 7500, 3600000
local LEAST_WINDOW_MS = 1000
local STRAY_WINDOWS = 20
-- What people want to be told of: gate_closed, gate_opened (or an account resumed), account_paused.
local news = ''

local function close(gate, until_ms, why)
  local gkey = gate_key(gate)
  local known = tonumber(redis.call('HGET', gkey, 'closed_until') or 0)
  if until_ms <= known then return end
  redis.call('HSET', gkey, 'closed_until', int(until_ms), 'closed_why', why)
  if known <= now_ms() then news = 'gate_closed' end
end

-- A call counts from when it can have reached the provider at the latest: as much later than it began as its answer took
-- longer than the quickest of late. More than a part of the window is the provider's own slowness. The first window's have
-- nothing to be compared with, and workers that just started are slow to call: they count from their answers.
local function note_arrived(gate, now, step)
  local gkey, limit = gate_key(gate), limit_of(gate)
  if not (limit and step.slot and step.began) then return end
  local took = now - step.began
  local quickest = math.min(took, tonumber(redis.call('HGET', gkey, 'quickest') or took) + 1)
  redis.call('HSET', gkey, 'quickest', int(quickest))
  local first = tonumber(step.slot) <= limit.count
  local late = first and took or took - quickest
  late = math.min(late, math.floor(limit.period / (first and FIRST_LATE_PART or LATE_PART)))
  redis.call('ZADD', passed_key(gate), 'XX', int(step.began + late), step.slot)
end

-- How many calls were answered that began since when; idle hours say nothing of a limit, so it forgets.
local function measured(gkey, now, began)
  local g = fields(gkey, 'opened_at', 'answered', 'answered_at')
  local opened, answered = tonumber(g[1] or began), tonumber(g[2] or 0)
  if now - tonumber(g[3] or now) > MEASURED_MS then return began, 0 end
  if now - opened > 2 * MEASURED_MS then
    return now - MEASURED_MS, math.floor(answered * MEASURED_MS / (now - opened))
  end
  return opened, answered
end

-- A Retry-After is rounded up to whole seconds, and windows last whole seconds.
local function whole_seconds(ms)
  return ms >= 1000 and ms - ms % 1000 or ms
end

local function set_taught(gkey, limit, reopens, failed)
  redis.call('HSET', gkey, 'taught_count', int(limit.count), 'taught_period', int(limit.period), 'taught_at',
    int(reopens), 'failed', int(math.min(failed, 4)))
  redis.call('HDEL', gkey, 'tried_from', 'grown')
end

-- What passes in a window whose length is known: as many as passed in the last one, and no more than on average of
-- several.
local function count_of_window(gate, seen, known, now, period)
  local count, part = seen.count, seen.period / period
  if part > 1 then
    local last = redis.call('ZCOUNT', passed_key(gate), '(' .. int(now - period), '+inf') - count_running(gate) - 1
    if part > 4 then
      count = math.min(last, math.floor(count / part + 0.5))
    else
      -- Less than is configured, and again too much: a tenth goes, as what others take and what fills again differs.
      local again = fields(gate_key(gate), 'count', 'taught_count')
      count = again[1] and again[2] and math.floor(0.9 * last) or last
    end
  elseif part < 0.9 and count < known.count / 3 then
    -- Told to wait for less than a window, and after few calls: others are at it. The rate says more.
    count = math.floor(count / part + 0.5)
  end
  return math.min(count, known.count - 1)
end

-- Of the calls before a refusal those that came closest together, up to the time it was told to wait for: the trickle
-- before a burst says nothing of the window. Of two that are as close the longer, which needs no second lesson.
local function closest_of(gate, seen, reopens)
  local calls = redis.call('ZREVRANGE', passed_key(gate), count_running(gate) + 1, -1, 'WITHSCORES')
  local closest = {count = 0, period = 1}
  local function consider(count, period)
    if count * closest.period >= closest.count * period then closest = {count = count, period = period} end
  end
  for place = 1, math.min(#calls / 2, seen.count) do
    consider(place, whole_seconds(reopens - tonumber(calls[2 * place])))
  end
  consider(seen.count, whole_seconds(seen.period))
  return closest
end

-- What a refusal says of the limit. `seen`: how many calls passed between the opening of the gate and the time it was told
-- to wait for. Returns the lesson, and how many tries for more count as having failed.
local function lesson_of(gate, seen, known, now, reopens)
  local doubted, told, taught = known.doubted, known.told, known.taught
  if doubted and not known.configured and seen.count < 0.8 * doubted.count then
    -- Far fewer than before: no window that opens at once, but one that fills again, at the rate that was seen.
    -- Of few calls one more is far more: that is not tried so soon.
    return seen, seen.count < 8 and 2 or 0
  end
  local base = taught or told
  if not base then return closest_of(gate, seen, reopens), 1 end
  local slowest = slower(taught, told)
  local most = {count = slowest.count * base.period / slowest.period}
  return {count = count_of_window(gate, seen, most, now, base.period), period = base.period}, known.failed
end

-- What is taught is never below a twentieth of what is configured or stated, nor a call a minute. Where it is much less
-- than was known, few calls at once try it (admit.lua); what is answered late still counts.
local function teach_lesson(gate, step, known, lesson, failed, reopens)
  local named = slower(known.configured, pair(step.limit, step.window_ms))
  local least = named and named.count * lesson.period / named.period / 20 or lesson.period / MEASURED_MS
  lesson.count = math.max(1, math.ceil(least), math.floor(lesson.count))
  set_taught(gate_key(gate), lesson, reopens, failed)
  redis.call('HSET', gate_key(gate), 'late', 1)
  local before = known.doubted or known.told
  if not before or lesson.count * before.period < 0.75 * before.count * lesson.period then
    redis.call('HSET', gate_key(gate), 'unsure', 1)
  end
end

-- One refusal of calls that used about the whole of the configured limit: they came where windows meet, later than they
-- left. Were the limit wrong, the next windows would be refused too.
local function is_stray(gate, configured, now)
  local gkey, period = gate_key(gate), configured.period
  local passed = redis.call('ZCOUNT', passed_key(gate), '(' .. int(now - period), '+inf') - count_running(gate) - 1
  if passed < 0.7 * configured.count then return false end
  local before = tonumber(redis.call('HGET', gkey, 'stray_at') or -math.huge)
  redis.call('HSET', gkey, 'stray_at', int(now))
  return now - before > STRAY_WINDOWS * period
end

local function learn_from_refusal(gate, now, step, reopens)
  local gkey = gate_key(gate)
  local opened, answered = measured(gkey, now, step.began or now)
  if answered == 0 or reopens <= opened then return end
  local seen = {count = answered, period = reopens - opened}
  local g = fields(gkey, 'count', 'period', 'said_count', 'said_period', 'taught_count', 'taught_period', 'failed',
    'tried_from', 'assumed', 'unsure')
  redis.call('HSET', gkey, 'opened_at', int(reopens), 'answered', 0)
  redis.call('HDEL', gkey, 'late', 'unsure')
  local configured, said, taught = pair(g[1], g[2]), pair(g[3], g[4]), pair(g[5], g[6])
  if configured and not taught and is_stray(gate, configured, now) then return end
  local failed = tonumber(g[7] or -1) + 1
  if taught and g[8] then
    -- A try for more: back to what was known before.
    return set_taught(gkey, {count = tonumber(g[8]), period = taught.period}, reopens, failed)
  end
  local assumed = said and g[9] and answered <= 1.5 * said.count
  if assumed and answered >= 0.8 * said.count then
    -- It took all that the provider speaks of: in what time, this tells.
    local window = math.max(LEAST_WINDOW_MS, math.min(step.window_ms or seen.period, whole_seconds(seen.period)))
    redis.call('HSET', gkey, 'said_window', int(window), 'unsure', 1)
    return
  end
  local known = {configured = configured, taught = taught, failed = failed, doubted = g[10] and slower(taught, said),
    told = slower(configured, not assumed and said or nil)}
  local lesson, tries = lesson_of(gate, seen, known, now, reopens)
  teach_lesson(gate, step, known, lesson, tries, reopens)
end

-- What was taught is tried again: one call more after a window without a refusal, then each time twice as much more.
-- After a try that was refused it waits eight times as long; a limit that nobody has named is not doubted so soon.
local function grow(gate, now, step)
  local gkey = gate_key(gate)
  local g = fields(gkey, 'taught_count', 'taught_period', 'taught_at', 'count', 'period', 'grown', 'failed', 'tried_from',
    'late', 'unsure', 'said_count', 'said_period')
  local taught, configured = pair(g[1], g[2]), pair(g[4], g[5])
  if taught and g[9] and now < tonumber(g[3]) then
    -- It passed before the refusal, and its answer came after.
    redis.call('HINCRBY', gkey, 'taught_count', 1)
    return
  end
  local opened, answered = measured(gkey, now, step.began or now)
  redis.call('HSET', gkey, 'opened_at', int(opened), 'answered', int(answered + 1), 'answered_at', int(now))
  local doubted = g[10] and (taught or pair(g[11], g[12]))
  if doubted and answered + 1 >= doubted.count then redis.call('HDEL', gkey, 'unsure') end
  if doubted then unblock(gate, now) end
  if not taught then return end
  local failed = tonumber(g[7] or 0)
  local wait = math.max(taught.period, TRY_MS) * 8 ^ failed
  wait = math.min(wait, math.max(taught.period, TRY_MOST_MS))
  if now < tonumber(g[3]) + wait then return end
  local steps = tonumber(g[6] or 0)
  local more = steps > 0 and math.max(1, taught.count * math.min(1, 0.025 * 2 ^ steps)) or 1
  local grown = {count = math.floor(taught.count + more), period = taught.period}
  if configured and grown.count * configured.period >= configured.count * grown.period then
    redis.call('HDEL', gkey, 'taught_count', 'taught_period', 'taught_at', 'grown', 'failed', 'tried_from', 'late')
  else
    redis.call('HSET', gkey, 'taught_count', int(grown.count), 'taught_at', int(now), 'grown', int(steps + 1),
      'tried_from', int(taught.count), 'failed', int(g[8] and 0 or failed))
  end
  unblock(gate, now)
end

-- The limit that the provider states, and in what time it is meant: as configured where it is the same count, or the same
-- rate; as a refusal or a call that found out has shown; else as its description says, which is an assumption.
local function note_said(gate, now, step)
  local gkey = gate_key(gate)
  local g = fields(gkey, 'count', 'period', 'said_as', 'said_window', 'said_most', 'said_count', 'said_period')
  local as = int(step.limit) .. '/' .. int(step.window_ms)
  if g[3] ~= as then
    redis.call('HDEL', gkey, 'said_window', 'said_most', 'said_least', 'others', 'told_at')
    redis.call('HSET', gkey, 'said_as', as)
    g[4], g[5] = nil, nil
  end
  local configured = pair(g[1], g[2])
  local most = math.min(step.limit, math.max(tonumber(g[5] or 0), (step.remaining or step.limit) + 1))
  redis.call('HSET', gkey, 'said_most', int(most))
  local said, assumed = nil, false
  if configured and (configured.count == step.limit
      or configured.count * step.window_ms == step.limit * configured.period) then
    said = configured
  elseif tonumber(g[4] or 0) > 0 then
    said = {count = most, period = tonumber(g[4])}
  else
    -- At no time as many were left as it states: a smaller window at the same rate.
    said = {count = most, period = math.ceil(step.window_ms * most / step.limit)}
    assumed = step.remaining and most == step.limit
  end
  if assumed then redis.call('HSET', gkey, 'assumed', 1) else redis.call('HDEL', gkey, 'assumed') end
  if g[6] == int(said.count) and g[7] == int(said.period) then return end
  redis.call('HSET', gkey, 'said_count', int(said.count), 'said_period', int(said.period))
  redis.call('HDEL', gkey, 'others', 'told_at')
  unblock(gate, now)
end

-- The provider's own count: others may use the same limit. Calls that still run may not be in it yet.
local function learn_from_headers(gate, now, step)
  note_said(gate, now, step)
  if not step.remaining then return end
  local gkey, running = gate_key(gate), count_running(gate)
  -- The fewest that were left: answers overtake each other.
  local left = tonumber(redis.call('HGET', gkey, 'said_least') or step.remaining)
  redis.call('HSET', gkey, 'said_least', int(math.min(left, step.remaining)))
  local limit, began = limit_of(gate), step.began or now
  -- What the provider may still have counted of ours is not others'.
  local used, before = used_at(gate, limit, began - limit.period / LATE_PART), others_at(gate, limit, now)
  local last = redis.call('ZRANGE', passed_key(gate), -2, -1, 'WITHSCORES')
  local found_out = limit.assumed and used > limit.count and step.answer ~= 'throttled' and last[3] == step.slot
  if found_out and began > tonumber(last[2]) then
    -- One call after all was used up: so much was free again in the time since the one before it.
    local window = began - tonumber(last[2])
    if step.remaining + 1 < limit.count then
      window = math.ceil(window * limit.count / math.max(1, step.remaining + 1 - left) + 500)
    end
    window = math.max(LEAST_WINDOW_MS, math.min(step.window_ms, whole_seconds(window)))
    redis.call('HSET', gkey, 'said_window', int(window))
    return note_said(gate, now, step)
  end
  -- Of ours that are on their way the provider may have counted all or none.
  local least = limit.count - used - step.remaining
  local others = math.max(0, least, math.min(before, least + running))
  redis.call('HSET', gkey, 'others', int(others), 'told_at', int(now))
  if limit.assumed and used >= limit.count or others < before and used + before >= limit.count then unblock(gate, now) end
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
  note_arrived(gate, now, step)
  if step.answer == 'throttled' then
    local was_open = tonumber(redis.call('HGET', gkey, 'closed_until') or 0) <= now
    local refusals = was_open and redis.call('HINCRBY', gkey, 'refusals', 1) or 1
    local backoff = math.min(60000, 1000 * 2 ^ math.min(refusals - 1, 10))
    local asked = step.retry_ms or backoff
    -- No time at all, and again: a provider whose clock is wrong would be called without a pause.
    if asked < 1000 and refusals > 1 then asked = backoff end
    local reopens = math.ceil(now + asked + step.jitter * math.min(1000, 20 + asked * 0.02))
    if was_open and not step.maintenance then learn_from_refusal(gate, now, step, reopens) end
    close(gate, reopens, 'rate limited')
    local asked_until = tonumber(redis.call('HGET', gkey, 'asked_until') or 0)
    redis.call('HSET', gkey, 'asked_until', int(math.max(reopens, asked_until)))
  elseif step.answer == 'refused' then
    credentials_are_refused(gate, account, now, step)
  elseif step.answer == 'down' then
    provider_is_down(gate, now, step)
  else
    grow(gate, now, step)
    redis.call('HDEL', gkey, 'refusals')
    -- Of a provider that answers questions and takes no invitations nothing good is learnt.
    if not step.beside then provider_is_up(gate, account, now, step) end
  end
  if step.limit and step.window_ms then learn_from_headers(gate, now, step) end
end

-- A fault in what is learnt costs the lesson, never the invitation: a script that breaks off is not rolled back.
local function learn(gate, account, now, step)
  local fine, fault = pcall(teach, gate, account, now, step)
  if fine then return end
  news = 'lesson_failed'
  redis.call('HSET', gate_key(gate), 'lesson_fault', tostring(type(fault) == 'table' and fault.err or fault))
end
