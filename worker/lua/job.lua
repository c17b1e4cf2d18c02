-- The job in a record. One value of more than 64 bytes would make Redis keep the whole record as a table, at twice the
-- bytes: a job stands in pieces, with nothing in `job` itself. A very long one stands there whole.
local PIECE = 64
local PIECES = {'job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'job8'}

-- Fields and values, as HSET takes them. What is longer than a piece was packed, and is ASCII.
local function job_fields(text)
  if #text <= PIECE or #text > PIECE * #PIECES then return {'job', text} end
  local written = {'job', ''}
  for place = 1, math.ceil(#text / PIECE) do
    written[#written + 1] = PIECES[place]
    written[#written + 1] = string.sub(text, (place - 1) * PIECE + 1, place * PIECE)
  end
  return written
end

-- `job`: what stands in that field.
local function whole_job(key, job)
  if job ~= '' then return job end
  local pieces = {}
  for place, piece in ipairs(fields(key, unpack(PIECES))) do
    if not piece then break end
    pieces[place] = piece
  end
  return table.concat(pieces)
end

local function keep_job(key, text)
  redis.call('HDEL', key, unpack(PIECES))
  redis.call('HSET', key, unpack(job_fields(text)))
end

-- The address asked for no invitations: nothing of the job is kept.
local function end_suppressed(id, now, account, order)
  keep_job(record_key(id), '')
  finish(id, now, account, order, 'suppressed', 'the address asked for no invitations')
end
