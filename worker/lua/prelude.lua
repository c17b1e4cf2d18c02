-- Names, time and the moves that several scripts make. Put in front of every script.
-- All times are whole milliseconds of Redis's own clock.
local P = 'invitations:'
local READY, EVENTS, BELL, GATES = P .. 'ready', P .. 'events', P .. 'bell', P .. 'gates'
local ACTIVE = P .. 'active'
local EVENTS_KEPT, HISTORY_KEPT = 100000, 20000
local SUPPRESSED = P .. 'suppressed'
local REPLIES = P .. 'replies'
local FORGOTTEN = 'forgotten'
-- A turn below this is an account's place in the order of service; above it the time from which it takes turns again.
local NOT_YET, NEVER = 1e12, 9e15

local function record_key(id) return P .. 'record:' .. id end
local function line_key(account) return P .. 'line:' .. account end
local function inflight_key(account) return P .. 'inflight:' .. account end
local function gate_key(gate) return P .. 'gate:' .. gate end
local function turns_key(gate) return P .. 'turns:' .. gate end
local function members_key(gate) return P .. 'members:' .. gate end
-- Of the gate's accounts those with calls that run, and maybe some whose calls are over.
local function busy_key(gate) return P .. 'busy:' .. gate end
local function passed_key(gate) return P .. 'passed:' .. gate end
local function pause_key(account) return P .. 'pause:' .. account end
local function state_key(account, state) return P .. 'state:' .. account .. ':' .. state end
local function expected_key(account) return P .. 'expected:' .. account end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- A number as Redis and people write it: Lua would write 1.7e+12.
local function int(number) return string.format('%.0f', number) end

-- Redis lost its data, or is another's, since the id was made with the key of this fingerprint: its ids would fork.
local function made_elsewhere(fingerprint)
  return fingerprint ~= '' and redis.call('GET', P .. 'id_key:print') ~= fingerprint
end

local function fields(key, ...)
  return redis.call('HMGET', key, ...)
end

local function score(key, member)
  local found = redis.call('ZSCORE', key, member)
  return found and tonumber(found)
end

local function lowest(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2]), first[1]
end

local function change(at, state, reason)
  return cjson.encode({at = at, state = state, reason = reason}) .. '\n'
end

local function tell_event(id, now, account, order, state, reason)
  redis.call('XADD', EVENTS, 'MAXLEN', '~', EVENTS_KEPT, '*',
    'id', id, 'account', account, 'order', order, 'state', state, 'reason', reason, 'at', int(now))
end

-- A record that was only accepted yet has none: it would say what stands beside it.
local function history_of(key)
  local f = fields(key, 'history', 'state', 'created_at')
  return f[1] or (f[2] and change(f[3], 'queued', '')) or ''
end

-- Writes a change of state to the record, its history and the events.
local function enter(id, now, account, order, state, reason)
  local key = record_key(id)
  local history = history_of(key)
  if #history > HISTORY_KEPT then
    -- The newest half stays, from the start of a line.
    history = string.sub(history, (string.find(history, '\n', #history - HISTORY_KEPT / 2, true)) + 1)
  end
  redis.call('HSET', key, 'state', state, 'history', history .. change(int(now), state, reason))
  if reason ~= '' then redis.call('HSET', key, 'reason', reason) else redis.call('HDEL', key, 'reason') end
  tell_event(id, now, account, order, state, reason)
end

-- Makes sure that some pacer looks at the gate at `at`, or as soon after as the gate can let anything pass.
local function wake(gate, at)
  local gate_fields = fields(gate_key(gate), 'look_at', 'full')
  if gate_fields[2] then return end
  at = math.max(at, tonumber(gate_fields[1] or 0))
  local known = score(READY, gate)
  if known and known <= at then return end
  local first = lowest(READY)
  redis.call('ZADD', READY, int(at), gate)
  if (not first or at < first) and redis.call('LLEN', BELL) == 0 then
    redis.call('LPUSH', BELL, 1)
  end
end

-- The gate may let something pass again (opened, a call ended, resumed): forget why it was not looked at.
local function unblock(gate, at)
  redis.call('HDEL', gate_key(gate), 'look_at', 'full')
  wake(gate, at)
end

-- Who was paused takes its turns again.
local function take_turns_again(account, at)
  redis.call('ZADD', turns_key(redis.call('HGET', GATES, account)), 'XX', 'LT', int(at), account)
end

-- The metrics look at those accounts alone (worker/active.py).
local function note_active(account)
  redis.call('ZADD', ACTIVE, int(now_ms()), account)
end

-- Into the line of the account, which takes its turns at the gate.
local function stand_in_line(id, account, gate, due)
  redis.call('ZADD', line_key(account), int(due), id)
  if redis.call('ZADD', turns_key(gate), 'LT', int(due), account) == 1 then
    redis.call('SADD', members_key(gate), account)
    note_active(account)
  end
end

-- Into the line of the account, behind the gate that the configuration gives it now.
local function line_up(id, account, due)
  local gate = redis.call('HGET', GATES, account)
  stand_in_line(id, account, gate, due)
  wake(gate, due)
end

local function free_place(gate)
  if redis.call('HGET', gate_key(gate), 'full') then unblock(gate, now_ms()) end
end

-- A call is over that `gate` let pass. Its account may stand at another gate meanwhile, which counts it as its own.
local function leave_gate(id, account, gate)
  redis.call('ZREM', inflight_key(account), id)
  free_place(gate)
  local present = redis.call('HGET', GATES, account)
  if present ~= gate then free_place(present) end
end

-- What the gate let pass makes no call: its place, its slot and its turn as a probe are free for another.
local function give_back(id, account, gate)
  local f = fields(record_key(id), 'slot', 'probe')
  redis.call('ZREM', passed_key(gate), f[1] or '')
  if f[2] == '1' and redis.call('HGET', pause_key(account), 'by') == 'provider' then
    redis.call('HSET', pause_key(account), 'probe_at', int(now_ms()))
    take_turns_again(account, now_ms())
  end
  leave_gate(id, account, gate)
  unblock(gate, now_ms())
end

-- Out of its line, or of what passed and was not claimed: its place at the gate is free for another.
local function withdraw(id, account, gate)
  redis.call('ZREM', line_key(account), id)
  if score(inflight_key(account), id) then give_back(id, account, gate) end
end

-- Who enqueued it may have asked to be told of its end: that is owed from this step on, whatever dies (tasks/replies.py).
local function owe_reply(id, now, state)
  if redis.call('HEXISTS', record_key(id), 'reply') == 0 then return end
  redis.call('XADD', REPLIES, '*', 'id', id, 'state', state, 'at', int(now))
end

local function finish(id, now, account, order, state, reason, shelf_at)
  redis.call('HSET', record_key(id), 'finished_at', int(now))
  redis.call('ZADD', state_key(account, state), int(shelf_at or now), id)
  enter(id, now, account, order, state, reason)
  owe_reply(id, now, state)
end

-- Whether the address asked this account, or all of them, for no invitations. `who`: its digest, if it is known.
local function is_suppressed(account, who)
  if not who or who == '' then return false end
  return redis.call('HEXISTS', SUPPRESSED, who) == 1 or redis.call('HEXISTS', SUPPRESSED .. ':' .. account, who) == 1
end
