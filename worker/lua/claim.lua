-- A worker takes an admitted invitation under a lease. Whoever comes late or second gets nothing.
-- `version`: the newest of a record that the worker knows; `left_for`: how long a newer one is left to others (ms); `by`:
-- a name of this claim. Returns {'ok', token, fields...}, the same again to whom it did not reach, or {why not, account}.
local function claim(id, lease, version, left_for, by)
  local key = record_key(id)
  local f = fields(key, 'state', 'gate', 'account', 'order', 'due_at', 'expires_at', 'probe', 'job', 'attempts',
    'throttled', 'unclear', 'created_at', 'slot', 'v', 'consented_at', 'by', 'token', 'trace')
  local gate, account, order = f[2], f[3], f[4]
  if not account or not score(inflight_key(account), id) then return {'stale', account or ''} end

  local now = now_ms()
  local g = fields(gate_key(gate), 'closed_until', 'probing')
  local function claimed(token)
    return {'ok', int(token), account, whole_job(key, f[8]), f[9], f[10], f[11] or '0', f[12], f[5], int(now),
      g[2] and '1' or '0', f[15] or '0', f[18] or ''}
  end
  if f[1] == 'delivering' and f[16] == by then return claimed(f[17]) end
  if f[1] ~= 'queued' then return {'stale', account} end
  if tonumber(f[14] or 0) > version then
    give_back(id, account, gate)
    redis.call('HSET', key, 'due_at', int(now + left_for), 'reason', 'written by a newer version')
    line_up(id, account, now + left_for)
    return {'newer', account}
  end
  local person = fields(key, 'who', 'forgotten_at')
  if person[2] then
    -- Lined up by a worker of before, which knew nothing of forgetting.
    give_back(id, account, gate)
    finish(id, now, account, '', 'cancelled', FORGOTTEN)
    return {'stale', account}
  end
  if is_suppressed(account, person[1]) then
    give_back(id, account, gate)
    end_suppressed(id, now, account, order)
    return {'suppressed', account}
  end
  if tonumber(f[6]) <= now then
    give_back(id, account, gate)
    local last = redis.call('HGET', key, 'reason') or ''
    finish(id, now, account, order, 'failed',
      'expired: it could not be delivered in the time it was given' .. (last ~= '' and '; the last: ' .. last or ''))
    return {'expired', account}
  end
  local slot = f[13] or '0'

  -- Who was let pass so long ago that its slot is free again for others needs a new one.
  local function may_pass_late()
    local limit = limit_of(gate)
    if not limit or holds_place(gate, limit, slot, now) then return true end
    if room_at(gate, limit, now) <= 0 then return false end
    slot = note_passed(gate, limit, now)
    redis.call('HSET', key, 'slot', slot)
    return true
  end

  -- Let pass before the outage was seen: only what passes after it is a probe.
  local function passed_before_outage()
    return g[2] and tonumber(slot) <= tonumber(g[2])
  end

  local function paused()
    local by = redis.call('HGET', pause_key(account), 'by')
    return by and not (by == 'provider' and f[7] == '1')
  end

  local moved = redis.call('HGET', GATES, account) ~= gate
  local closed = tonumber(g[1] or 0) > now
  if moved or closed or passed_before_outage() or paused() or not may_pass_late() then
    give_back(id, account, gate)
    line_up(id, account, tonumber(f[5]))
    return {'shut', account}
  end
  local token = redis.call('HINCRBY', key, 'token', 1)
  redis.call('HSET', key, 'claimed_at', int(now), 'by', by)
  redis.call('ZADD', inflight_key(account), int(now + lease), id)
  redis.call('ZADD', passed_key(gate), 'XX', int(now), slot)
  enter(id, now, account, order, 'delivering', '')
  return claimed(token)
end
