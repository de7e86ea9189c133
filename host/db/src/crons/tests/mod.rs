mod jobs;
mod schedules;
