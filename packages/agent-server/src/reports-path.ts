/**
 * Path of an event stream of control reports, for a supervisor that has found a running agent server again
 * (event `report`). It begins with `agent-ready` if that was the case, and ends with the agent server.
 */
export const REPORTS_PATH = '/internal/reports';
