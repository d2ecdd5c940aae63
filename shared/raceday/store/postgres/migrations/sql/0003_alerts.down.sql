DROP TABLE alert_backlog;
DROP TABLE notifications;
DROP TABLE user_alert_channels;
DROP TABLE user_alert_configs;
