BEGIN TRANSACTION;
CREATE TABLE account (
	id INTEGER NOT NULL, 
	username VARCHAR(32) NOT NULL, 
	username_key VARCHAR(32) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	email_key VARCHAR(254) NOT NULL, 
	email_confirmed_at DATETIME, 
	email_gone_at DATETIME, 
	pending_email VARCHAR(254), 
	password_hash VARCHAR NOT NULL, 
	is_admin BOOLEAN NOT NULL, 
	timezone VARCHAR(64) NOT NULL, 
	language VARCHAR(16) NOT NULL, 
	theme VARCHAR(8) NOT NULL, 
	digest_is_on BOOLEAN NOT NULL, 
	digest_frequency VARCHAR(6) NOT NULL, 
	digest_hour INTEGER NOT NULL, 
	digest_due_at DATETIME, 
	pushes_always BOOLEAN NOT NULL, 
	visible_until DATETIME, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_account PRIMARY KEY (id), 
	CONSTRAINT uq_account_email_key UNIQUE (email_key), 
	CONSTRAINT uq_account_username_key UNIQUE (username_key)
);
INSERT INTO "account" VALUES(1,'alice','alice','alice@example.com','alice@example.com','2025-03-01 09:01:00.000000',NULL,NULL,'$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk',1,'Europe/Berlin','en','dark',0,'daily',8,NULL,1,NULL,'2025-03-01 09:01:00.000000');
INSERT INTO "account" VALUES(2,'bob','bob','bob@example.com','bob@example.com','2025-03-01 09:02:00.000000',NULL,NULL,'$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk',0,'America/New_York','en','light',0,'daily',23,NULL,0,'2025-03-24 09:02:00.000000','2025-03-01 09:02:00.000000');
INSERT INTO "account" VALUES(3,'carol','carol','carol@example.com','carol@example.com','2025-03-01 09:03:00.000000',NULL,NULL,'$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk',0,'Asia/Tokyo','en','',1,'weekly',7,'2025-03-30 22:00:00.000000',0,NULL,'2025-03-01 09:03:00.000000');
INSERT INTO "account" VALUES(4,'dave','dave','dave@example.com','dave@example.com',NULL,NULL,NULL,'$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk',0,'','','',0,'daily',8,NULL,0,NULL,'2025-03-01 09:04:00.000000');
INSERT INTO "account" VALUES(5,'erin','erin','erin@example.com','erin@example.com','2025-03-01 09:05:00.000000',NULL,'erin.new@example.com','$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk',0,'Australia/Lord_Howe','en','',0,'daily',8,NULL,0,NULL,'2025-03-01 09:05:00.000000');
INSERT INTO "account" VALUES(7,'Grace.H','grace.h','Grace.H@Example.com','grace.h@example.com','2025-03-01 09:07:00.000000','2025-03-24 09:01:00.000000',NULL,'$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk',0,'UTC','en','',0,'daily',8,NULL,0,NULL,'2025-03-01 09:07:00.000000');
INSERT INTO "account" VALUES(8,'heidi','heidi','heidi@example.com','heidi@example.com','2025-03-01 09:08:00.000000',NULL,NULL,'$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk',0,'','','',1,'daily',0,'2025-03-25 00:00:00.000000',0,NULL,'2025-03-01 09:08:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE change (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR(9) NOT NULL, 
	user_id INTEGER, 
	ids JSON, 
	up_to INTEGER, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT fk_change_user_id_account FOREIGN KEY(user_id) REFERENCES account (id) ON DELETE CASCADE
);
INSERT INTO "change" VALUES(11,'event',NULL,NULL,NULL,'2025-03-04 09:04:00.000000');
INSERT INTO "change" VALUES(12,'event',NULL,NULL,NULL,'2025-03-04 09:05:00.000000');
INSERT INTO "change" VALUES(13,'read',5,'[8]',NULL,'2025-03-04 09:06:00.000000');
INSERT INTO "change" VALUES(14,'event',NULL,NULL,NULL,'2025-03-04 09:06:00.000000');
INSERT INTO "change" VALUES(15,'event',NULL,NULL,NULL,'2025-03-04 09:07:00.000000');
INSERT INTO "change" VALUES(16,'event',NULL,NULL,NULL,'2025-03-04 09:08:00.000000');
INSERT INTO "change" VALUES(17,'event',NULL,NULL,NULL,'2025-03-06 09:01:00.000000');
INSERT INTO "change" VALUES(18,'event',NULL,NULL,NULL,'2025-03-06 09:02:00.000000');
INSERT INTO "change" VALUES(19,'event',NULL,NULL,NULL,'2025-03-06 09:03:00.000000');
INSERT INTO "change" VALUES(20,'withdrawn',5,'[19]',NULL,'2025-03-06 09:04:00.000000');
INSERT INTO "change" VALUES(21,'event',NULL,NULL,NULL,'2025-03-06 09:05:00.000000');
INSERT INTO "change" VALUES(22,'event',NULL,NULL,NULL,'2025-03-06 09:06:00.000000');
INSERT INTO "change" VALUES(23,'event',NULL,NULL,NULL,'2025-03-06 09:07:00.000000');
INSERT INTO "change" VALUES(24,'event',NULL,NULL,NULL,'2025-03-06 09:08:00.000000');
INSERT INTO "change" VALUES(25,'event',NULL,NULL,NULL,'2025-03-06 09:09:00.000000');
INSERT INTO "change" VALUES(26,'event',NULL,NULL,NULL,'2025-03-06 09:10:00.000000');
INSERT INTO "change" VALUES(27,'event',NULL,NULL,NULL,'2025-03-06 09:11:00.000000');
INSERT INTO "change" VALUES(28,'event',NULL,NULL,NULL,'2025-03-06 09:12:00.000000');
INSERT INTO "change" VALUES(29,'event',NULL,NULL,NULL,'2025-03-07 09:01:00.000000');
INSERT INTO "change" VALUES(30,'event',NULL,NULL,NULL,'2025-03-07 09:02:00.000000');
INSERT INTO "change" VALUES(31,'event',NULL,NULL,NULL,'2025-03-07 09:03:00.000000');
INSERT INTO "change" VALUES(32,'event',NULL,NULL,NULL,'2025-03-07 09:04:00.000000');
INSERT INTO "change" VALUES(33,'event',NULL,NULL,NULL,'2025-03-07 09:05:00.000000');
INSERT INTO "change" VALUES(34,'event',NULL,NULL,NULL,'2025-03-07 09:06:00.000000');
INSERT INTO "change" VALUES(35,'event',NULL,NULL,NULL,'2025-03-07 09:07:00.000000');
INSERT INTO "change" VALUES(36,'withdrawn',5,'[21, 23, 26, 54]',NULL,'2025-03-08 09:01:00.000000');
INSERT INTO "change" VALUES(37,'event',NULL,NULL,NULL,'2025-03-08 09:01:00.000000');
INSERT INTO "change" VALUES(38,'withdrawn',7,'[16, 39, 43, 47]',NULL,'2025-03-08 09:02:00.000000');
INSERT INTO "change" VALUES(39,'event',NULL,NULL,NULL,'2025-03-08 09:02:00.000000');
INSERT INTO "change" VALUES(40,'withdrawn',3,'[35, 49, 53]',NULL,'2025-03-08 09:03:00.000000');
INSERT INTO "change" VALUES(41,'event',NULL,NULL,NULL,'2025-03-08 09:03:00.000000');
INSERT INTO "change" VALUES(42,'event',NULL,NULL,NULL,'2025-03-09 09:07:00.000000');
INSERT INTO "change" VALUES(43,'event',NULL,NULL,NULL,'2025-03-09 09:08:00.000000');
INSERT INTO "change" VALUES(44,'event',NULL,NULL,NULL,'2025-03-09 09:09:00.000000');
INSERT INTO "change" VALUES(45,'event',NULL,NULL,NULL,'2025-03-09 09:10:00.000000');
INSERT INTO "change" VALUES(46,'event',NULL,NULL,NULL,'2025-03-09 09:11:00.000000');
INSERT INTO "change" VALUES(47,'event',NULL,NULL,NULL,'2025-03-09 09:12:00.000000');
INSERT INTO "change" VALUES(48,'event',NULL,NULL,NULL,'2025-03-09 09:13:00.000000');
INSERT INTO "change" VALUES(49,'event',NULL,NULL,NULL,'2025-03-09 09:14:00.000000');
INSERT INTO "change" VALUES(50,'event',NULL,NULL,NULL,'2025-03-11 09:03:00.000000');
INSERT INTO "change" VALUES(51,'event',NULL,NULL,NULL,'2025-03-11 09:06:00.000000');
INSERT INTO "change" VALUES(52,'event',NULL,NULL,NULL,'2025-03-11 09:09:00.000000');
INSERT INTO "change" VALUES(53,'event',NULL,NULL,NULL,'2025-03-11 09:12:00.000000');
INSERT INTO "change" VALUES(54,'event',NULL,NULL,NULL,'2025-03-11 09:15:00.000000');
INSERT INTO "change" VALUES(55,'event',NULL,NULL,NULL,'2025-03-11 09:18:00.000000');
INSERT INTO "change" VALUES(56,'event',NULL,NULL,NULL,'2025-03-11 09:21:00.000000');
INSERT INTO "change" VALUES(57,'event',NULL,NULL,NULL,'2025-03-11 09:24:00.000000');
INSERT INTO "change" VALUES(58,'event',NULL,NULL,NULL,'2025-03-11 09:27:00.000000');
INSERT INTO "change" VALUES(59,'event',NULL,NULL,NULL,'2025-03-11 09:30:00.000000');
INSERT INTO "change" VALUES(60,'event',NULL,NULL,NULL,'2025-03-11 09:33:00.000000');
INSERT INTO "change" VALUES(61,'event',NULL,NULL,NULL,'2025-03-11 09:36:00.000000');
INSERT INTO "change" VALUES(62,'event',NULL,NULL,NULL,'2025-03-11 09:39:00.000000');
INSERT INTO "change" VALUES(63,'withdrawn',7,'[75, 108, 147, 171]',NULL,'2025-03-13 09:01:00.000000');
INSERT INTO "change" VALUES(64,'withdrawn',8,'[76, 109, 148, 172]',NULL,'2025-03-13 09:01:00.000000');
INSERT INTO "change" VALUES(65,'event',NULL,NULL,NULL,'2025-03-13 09:01:00.000000');
INSERT INTO "change" VALUES(66,'withdrawn',1,'[77]',NULL,'2025-03-13 09:03:00.000000');
INSERT INTO "change" VALUES(67,'withdrawn',3,'[78]',NULL,'2025-03-13 09:03:00.000000');
INSERT INTO "change" VALUES(69,'event',NULL,NULL,NULL,'2025-03-13 09:03:00.000000');
INSERT INTO "change" VALUES(70,'withdrawn',2,'[30, 32, 50, 87]',NULL,'2025-03-13 09:04:00.000000');
INSERT INTO "change" VALUES(71,'withdrawn',3,'[33, 51, 88]',NULL,'2025-03-13 09:04:00.000000');
INSERT INTO "change" VALUES(72,'event',NULL,NULL,NULL,'2025-03-13 09:04:00.000000');
INSERT INTO "change" VALUES(73,'event',NULL,NULL,NULL,'2025-03-14 09:01:00.000000');
INSERT INTO "change" VALUES(74,'event',NULL,NULL,NULL,'2025-03-14 09:02:00.000000');
INSERT INTO "change" VALUES(75,'event',NULL,NULL,NULL,'2025-03-14 09:03:00.000000');
INSERT INTO "change" VALUES(76,'event',NULL,NULL,NULL,'2025-03-14 09:04:00.000000');
INSERT INTO "change" VALUES(77,'event',NULL,NULL,NULL,'2025-03-15 09:01:00.000000');
INSERT INTO "change" VALUES(78,'event',NULL,NULL,NULL,'2025-03-15 09:02:00.000000');
INSERT INTO "change" VALUES(83,'event',NULL,NULL,NULL,'2025-03-16 09:01:00.000000');
INSERT INTO "change" VALUES(84,'withdrawn',2,'[80]',NULL,'2025-03-16 09:02:00.000000');
INSERT INTO "change" VALUES(85,'withdrawn',7,'[81]',NULL,'2025-03-16 09:02:00.000000');
INSERT INTO "change" VALUES(86,'withdrawn',8,'[82]',NULL,'2025-03-16 09:02:00.000000');
INSERT INTO "change" VALUES(87,'event',NULL,NULL,NULL,'2025-03-16 09:02:00.000000');
INSERT INTO "change" VALUES(88,'event',NULL,NULL,NULL,'2025-03-16 09:02:00.000000');
INSERT INTO "change" VALUES(89,'read',2,'[6, 10, 13, 31, 34, 58, 63]',NULL,'2025-03-20 09:01:00.000000');
INSERT INTO "change" VALUES(90,'unread',2,'[10, 13]',NULL,'2025-03-20 09:02:00.000000');
INSERT INTO "change" VALUES(91,'deleted',2,'[31, 34]',NULL,'2025-03-20 09:03:00.000000');
INSERT INTO "change" VALUES(92,'deleted',2,'[68, 84]',NULL,'2025-03-20 09:04:00.000000');
INSERT INTO "change" VALUES(93,'restored',2,'[68, 84]',NULL,'2025-03-20 09:07:00.000000');
INSERT INTO "change" VALUES(94,'read',3,NULL,123,'2025-03-20 09:09:00.000000');
INSERT INTO "change" VALUES(95,'deleted',3,'[14, 18]',NULL,'2025-03-20 09:10:00.000000');
INSERT INTO "change" VALUES(96,'read',1,'[2, 5, 9, 17]',NULL,'2025-03-20 09:11:00.000000');
INSERT INTO "change" VALUES(97,'deleted',1,'[52]',NULL,'2025-03-20 09:12:00.000000');
CREATE TABLE clean_up (
	id INTEGER NOT NULL, 
	removed JSON NOT NULL, 
	finished_at DATETIME NOT NULL, 
	CONSTRAINT pk_clean_up PRIMARY KEY (id)
);
INSERT INTO "clean_up" VALUES(1,'{"notifications": 120, "deleted": 3, "letters": 0, "changes": 12, "events": 7}','2025-03-28 09:01:00.000000');
INSERT INTO "clean_up" VALUES(2,'{"notifications": 0, "deleted": 0, "letters": 0, "changes": 0, "events": 0}','2025-03-29 09:00:00.000000');
CREATE TABLE clip (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	uploader_id INTEGER, 
	position INTEGER NOT NULL, 
	filename VARCHAR(255) NOT NULL, 
	stored_as VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	duration DOUBLE, 
	width INTEGER, 
	height INTEGER, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_clip PRIMARY KEY (id), 
	CONSTRAINT fk_clip_project_id_project FOREIGN KEY(project_id) REFERENCES project (id) ON DELETE CASCADE, 
	CONSTRAINT fk_clip_uploader_id_account FOREIGN KEY(uploader_id) REFERENCES account (id) ON DELETE SET NULL
);
INSERT INTO "clip" VALUES(1,1,1,0,'goal.mp4','4a9b528b69636321a461b55ef55b7bea',1048576,12.5,1920,1080,'2025-03-10 09:00:00.000000');
INSERT INTO "clip" VALUES(2,1,2,1,'Tor & <Jubel>.mov','fd809a9a9e925b79a6342fa0fdb8b294',77,12.5,1920,1080,'2025-03-10 09:00:00.000000');
INSERT INTO "clip" VALUES(3,1,NULL,2,'frank.webm','d97fc6103d92089b25fa5e039f52a8e8',1048576,NULL,NULL,NULL,'2025-03-10 09:00:00.000000');
INSERT INTO "clip" VALUES(4,2,2,0,'best.mkv','a95f64d6589c1f7844066542ec38008d',8589934592,0.04,1920,1080,'2025-03-10 09:00:00.000000');
INSERT INTO "clip" VALUES(5,3,3,0,'zoë.mp4','331dfd3b272416317694e2fe860397b7',1048576,12.5,1920,1080,'2025-03-10 09:00:00.000000');
CREATE TABLE compilation (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	requested_by_id INTEGER, 
	status VARCHAR(9) NOT NULL, 
	progress DOUBLE NOT NULL, 
	error VARCHAR, 
	duration DOUBLE, 
	size INTEGER, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	touched_at DATETIME, 
	finished_at DATETIME, 
	CONSTRAINT pk_compilation PRIMARY KEY (id), 
	CONSTRAINT fk_compilation_project_id_project FOREIGN KEY(project_id) REFERENCES project (id) ON DELETE CASCADE, 
	CONSTRAINT fk_compilation_requested_by_id_account FOREIGN KEY(requested_by_id) REFERENCES account (id) ON DELETE SET NULL
);
INSERT INTO "compilation" VALUES(1,1,1,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:03:00.000000','2025-03-11 09:03:00.000000','2025-03-11 09:03:00.000000','2025-03-11 09:03:00.000000');
INSERT INTO "compilation" VALUES(2,1,2,'failed',0.5,'The clips could not be joined. Try again, or tell who runs this server.',NULL,NULL,1,'2025-03-11 09:06:00.000000','2025-03-11 09:06:00.000000','2025-03-11 09:06:00.000000','2025-03-11 09:06:00.000000');
INSERT INTO "compilation" VALUES(3,6,3,'failed',0.5,'''a <b>.mp4'' is empty. Upload it again or remove it.',NULL,NULL,1,'2025-03-11 09:09:00.000000','2025-03-11 09:09:00.000000','2025-03-11 09:09:00.000000','2025-03-11 09:09:00.000000');
INSERT INTO "compilation" VALUES(4,2,2,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:12:00.000000','2025-03-11 09:12:00.000000','2025-03-11 09:12:00.000000','2025-03-11 09:12:00.000000');
INSERT INTO "compilation" VALUES(5,1,1,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:15:00.000000','2025-03-11 09:15:00.000000','2025-03-11 09:15:00.000000','2025-03-11 09:15:00.000000');
INSERT INTO "compilation" VALUES(6,1,NULL,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:18:00.000000','2025-03-11 09:18:00.000000','2025-03-11 09:18:00.000000','2025-03-11 09:18:00.000000');
INSERT INTO "compilation" VALUES(7,1,1,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:21:00.000000','2025-03-11 09:21:00.000000','2025-03-11 09:21:00.000000','2025-03-11 09:21:00.000000');
INSERT INTO "compilation" VALUES(8,2,2,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:24:00.000000','2025-03-11 09:24:00.000000','2025-03-11 09:24:00.000000','2025-03-11 09:24:00.000000');
INSERT INTO "compilation" VALUES(9,6,3,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:27:00.000000','2025-03-11 09:27:00.000000','2025-03-11 09:27:00.000000','2025-03-11 09:27:00.000000');
INSERT INTO "compilation" VALUES(10,1,1,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:30:00.000000','2025-03-11 09:30:00.000000','2025-03-11 09:30:00.000000','2025-03-11 09:30:00.000000');
INSERT INTO "compilation" VALUES(11,2,3,'completed',1.0,NULL,25.04,4194304,1,'2025-03-11 09:33:00.000000','2025-03-11 09:33:00.000000','2025-03-11 09:33:00.000000','2025-03-11 09:33:00.000000');
INSERT INTO "compilation" VALUES(12,2,2,'failed',0.5,'The server''s disk is full. Delete what is not needed and try again.',NULL,NULL,1,'2025-03-11 09:36:00.000000','2025-03-11 09:36:00.000000','2025-03-11 09:36:00.000000','2025-03-11 09:36:00.000000');
INSERT INTO "compilation" VALUES(13,1,1,'failed',0.5,'The server was interrupted repeatedly. Please try again.',NULL,NULL,1,'2025-03-11 09:39:00.000000','2025-03-11 09:39:00.000000','2025-03-11 09:39:00.000000','2025-03-11 09:39:00.000000');
INSERT INTO "compilation" VALUES(14,1,1,'cancelled',0.3,NULL,NULL,NULL,1,'2025-03-12 09:00:00.000000','2025-03-12 09:00:00.000000','2025-03-12 09:00:00.000000','2025-03-12 09:00:00.000000');
INSERT INTO "compilation" VALUES(15,1,2,'queued',0.0,NULL,NULL,NULL,0,'2025-03-12 09:00:00.000000',NULL,NULL,NULL);
INSERT INTO "compilation" VALUES(16,2,2,'running',0.625,NULL,NULL,NULL,2,'2025-03-12 09:00:00.000000','2025-03-12 09:00:00.000000','2025-03-12 09:00:00.000000',NULL);
CREATE TABLE delivery (
	id INTEGER NOT NULL, 
	notification_id INTEGER, 
	user_id INTEGER, 
	channel VARCHAR(16) NOT NULL, 
	address VARCHAR(320) NOT NULL, 
	subscription_id INTEGER, 
	gathering VARCHAR(6) NOT NULL, 
	bundle_id INTEGER, 
	letter VARCHAR(32), 
	context JSON, 
	state VARCHAR(8) NOT NULL, 
	attempts INTEGER NOT NULL, 
	due_at DATETIME NOT NULL, 
	claimed_by VARCHAR(40), 
	error VARCHAR, 
	reason VARCHAR(32), 
	created_at DATETIME NOT NULL, 
	settled_at DATETIME, 
	CONSTRAINT pk_delivery PRIMARY KEY (id), 
	CONSTRAINT fk_delivery_notification_id_notification FOREIGN KEY(notification_id) REFERENCES notification (id) ON DELETE CASCADE, 
	CONSTRAINT fk_delivery_subscription_id_push_subscription FOREIGN KEY(subscription_id) REFERENCES push_subscription (id) ON DELETE SET NULL, 
	CONSTRAINT fk_delivery_user_id_account FOREIGN KEY(user_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT uq_delivery_notification_id UNIQUE (notification_id, channel, address)
);
INSERT INTO "delivery" VALUES(1,NULL,4,'email','dave@example.com',NULL,'alone',NULL,'confirm_address','{"account_id": 4, "username": "dave", "email": "dave@example.com"}','pending',0,'2025-03-01 09:04:00.000000',NULL,NULL,NULL,'2025-03-01 09:04:00.000000',NULL);
INSERT INTO "delivery" VALUES(2,NULL,5,'email','erin.new@example.com',NULL,'alone',NULL,'confirm_address','{"account_id": 5, "username": "erin", "email": "erin.new@example.com"}','pending',0,'2025-03-01 09:05:00.000000',NULL,NULL,NULL,'2025-03-01 09:05:00.000000',NULL);
INSERT INTO "delivery" VALUES(3,1,2,'email','bob@example.com',NULL,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 09:01:00.000000',NULL,NULL,NULL,'2025-03-04 09:01:00.000000','2025-03-22 09:01:00.000000');
INSERT INTO "delivery" VALUES(4,1,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 09:52:00.000000',NULL,NULL,NULL,'2025-03-04 09:01:00.000000','2025-03-22 09:52:00.000000');
INSERT INTO "delivery" VALUES(5,1,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'sent',2,'2025-03-22 09:53:00.000000',NULL,NULL,NULL,'2025-03-04 09:01:00.000000','2025-03-22 09:53:00.000000');
INSERT INTO "delivery" VALUES(6,2,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',3,'2025-03-22 09:02:00.000000',NULL,NULL,NULL,'2025-03-04 09:02:00.000000','2025-03-22 09:02:00.000000');
INSERT INTO "delivery" VALUES(7,3,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:03:00.000000',NULL,NULL,'deleted','2025-03-04 09:02:00.000000','2025-03-22 09:03:00.000000');
INSERT INTO "delivery" VALUES(10,5,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:04:00.000000',NULL,NULL,'read','2025-03-04 09:04:00.000000','2025-03-22 09:04:00.000000');
INSERT INTO "delivery" VALUES(11,6,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:05:00.000000',NULL,NULL,'unwanted','2025-03-04 09:04:00.000000','2025-03-22 09:05:00.000000');
INSERT INTO "delivery" VALUES(13,8,5,'email','erin@example.com',NULL,'alone',NULL,NULL,NULL,'pending',0,'2025-03-04 09:05:00.000000',NULL,NULL,NULL,'2025-03-04 09:05:00.000000',NULL);
INSERT INTO "delivery" VALUES(14,10,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:06:00.000000',NULL,NULL,'muted','2025-03-04 09:07:00.000000','2025-03-22 09:06:00.000000');
INSERT INTO "delivery" VALUES(15,11,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:07:00.000000',NULL,NULL,'unconfirmed','2025-03-04 09:07:00.000000','2025-03-22 09:07:00.000000');
INSERT INTO "delivery" VALUES(17,13,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:08:00.000000',NULL,NULL,'gone','2025-03-04 09:08:00.000000','2025-03-22 09:08:00.000000');
INSERT INTO "delivery" VALUES(18,14,3,'email','carol@example.com',NULL,'digest',18,NULL,NULL,'pending',1,'2025-03-24 22:00:00.000000',NULL,'451 4.3.0 Temporary lookup failure',NULL,'2025-03-04 09:08:00.000000',NULL);
INSERT INTO "delivery" VALUES(20,16,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-04 09:10:00.000000',NULL,NULL,'withdrawn','2025-03-04 09:08:00.000000','2025-03-08 09:02:00.000000');
INSERT INTO "delivery" VALUES(21,NULL,NULL,'email','newcomer@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 4, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','pending',0,'2025-03-05 09:01:00.000000',NULL,NULL,NULL,'2025-03-05 09:01:00.000000',NULL);
INSERT INTO "delivery" VALUES(22,NULL,NULL,'email','late@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 5, "team": "Video Squad", "role": "editor", "inviter": "alice"}','pending',0,'2025-03-05 09:02:00.000000',NULL,NULL,NULL,'2025-03-05 09:02:00.000000',NULL);
INSERT INTO "delivery" VALUES(23,NULL,NULL,'email','gone@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 6, "team": "Video Squad", "role": "admin", "inviter": "alice"}','pending',0,'2025-03-05 09:03:00.000000',NULL,NULL,NULL,'2025-03-05 09:03:00.000000',NULL);
INSERT INTO "delivery" VALUES(24,NULL,NULL,'email','Again@Example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 7, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','pending',0,'2025-03-05 09:05:00.000000',NULL,NULL,NULL,'2025-03-05 09:05:00.000000',NULL);
INSERT INTO "delivery" VALUES(25,NULL,NULL,'email','Again@Example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 7, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','pending',0,'2025-03-05 09:06:00.000000',NULL,NULL,NULL,'2025-03-05 09:06:00.000000',NULL);
INSERT INTO "delivery" VALUES(26,NULL,NULL,'email','dave@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 8, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','pending',0,'2025-03-05 09:07:00.000000',NULL,NULL,NULL,'2025-03-05 09:07:00.000000',NULL);
INSERT INTO "delivery" VALUES(27,17,1,'email','alice@example.com',NULL,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 09:09:00.000000',NULL,'550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown in local recipient table',NULL,'2025-03-06 09:01:00.000000','2025-03-22 09:09:00.000000');
INSERT INTO "delivery" VALUES(28,17,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:54:00.000000',NULL,NULL,'deleted','2025-03-06 09:01:00.000000','2025-03-22 09:54:00.000000');
INSERT INTO "delivery" VALUES(29,18,3,'email','carol@example.com',NULL,'alone',NULL,NULL,NULL,'pending',0,'2025-03-06 09:02:00.000000',NULL,NULL,NULL,'2025-03-06 09:02:00.000000',NULL);
INSERT INTO "delivery" VALUES(30,18,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'pending',0,'2025-03-06 09:02:00.000000',NULL,NULL,NULL,'2025-03-06 09:02:00.000000',NULL);
INSERT INTO "delivery" VALUES(31,18,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'pending',0,'2025-03-06 09:02:00.000000',NULL,NULL,NULL,'2025-03-06 09:02:00.000000',NULL);
INSERT INTO "delivery" VALUES(32,19,5,'email','erin@example.com',NULL,'alone',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:03:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:03:00.000000','2025-03-06 09:04:00.000000');
INSERT INTO "delivery" VALUES(34,21,5,'email','erin@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:08:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:06:00.000000','2025-03-08 09:01:00.000000');
INSERT INTO "delivery" VALUES(36,23,5,'email','erin@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:09:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:07:00.000000','2025-03-08 09:01:00.000000');
INSERT INTO "delivery" VALUES(38,25,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-06 09:09:00.000000',NULL,NULL,NULL,'2025-03-06 09:07:00.000000',NULL);
INSERT INTO "delivery" VALUES(39,26,5,'email','erin@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:10:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:08:00.000000','2025-03-08 09:01:00.000000');
INSERT INTO "delivery" VALUES(41,28,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-06 09:10:00.000000',NULL,NULL,NULL,'2025-03-06 09:08:00.000000',NULL);
INSERT INTO "delivery" VALUES(42,29,8,'email','heidi@example.com',NULL,'digest',NULL,NULL,NULL,'pending',0,'2025-03-25 00:00:00.000000',NULL,NULL,NULL,'2025-03-06 09:08:00.000000',NULL);
INSERT INTO "delivery" VALUES(43,30,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:11:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:09:00.000000','2025-03-13 09:04:00.000000');
INSERT INTO "delivery" VALUES(44,31,2,'email','bob@example.com',NULL,'bundle',44,NULL,NULL,'pending',0,'2025-03-06 09:12:00.000000',NULL,NULL,NULL,'2025-03-06 09:10:00.000000',NULL);
INSERT INTO "delivery" VALUES(45,32,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:13:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:11:00.000000','2025-03-13 09:04:00.000000');
INSERT INTO "delivery" VALUES(46,33,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:13:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:11:00.000000','2025-03-13 09:04:00.000000');
INSERT INTO "delivery" VALUES(47,34,2,'email','bob@example.com',NULL,'bundle',44,NULL,NULL,'pending',0,'2025-03-06 09:14:00.000000',NULL,NULL,NULL,'2025-03-06 09:12:00.000000',NULL);
INSERT INTO "delivery" VALUES(48,35,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-06 09:14:00.000000',NULL,NULL,'withdrawn','2025-03-06 09:12:00.000000','2025-03-08 09:03:00.000000');
INSERT INTO "delivery" VALUES(49,36,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'failed',1,'2025-03-22 09:10:00.000000',NULL,'550 No such user here',NULL,'2025-03-07 09:01:00.000000','2025-03-22 09:10:00.000000');
INSERT INTO "delivery" VALUES(50,40,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'failed',1,'2025-03-22 09:11:00.000000',NULL,'550 5.7.1 Relaying denied',NULL,'2025-03-07 09:02:00.000000','2025-03-22 09:11:00.000000');
INSERT INTO "delivery" VALUES(51,44,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'failed',1,'2025-03-22 09:12:00.000000',NULL,'552 5.2.2 The mailbox is full & over quota',NULL,'2025-03-07 09:03:00.000000','2025-03-22 09:12:00.000000');
INSERT INTO "delivery" VALUES(52,48,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'failed',1,'2025-03-22 09:13:00.000000',NULL,'550 5.7.26 This mail has been blocked because the sender is unauthenticated.
5.7.26 It must authenticate with SPF or DKIM.
5.7.26 ab12-20020a gsmtp',NULL,'2025-03-07 09:04:00.000000','2025-03-22 09:13:00.000000');
INSERT INTO "delivery" VALUES(53,51,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'skipped',0,'2025-03-07 09:05:10.000000',NULL,NULL,'withdrawn','2025-03-07 09:05:00.000000','2025-03-13 09:04:00.000000');
INSERT INTO "delivery" VALUES(54,51,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'skipped',0,'2025-03-07 09:05:10.000000',NULL,NULL,'withdrawn','2025-03-07 09:05:00.000000','2025-03-13 09:04:00.000000');
INSERT INTO "delivery" VALUES(55,53,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'skipped',0,'2025-03-07 09:06:10.000000',NULL,NULL,'withdrawn','2025-03-07 09:06:00.000000','2025-03-08 09:03:00.000000');
INSERT INTO "delivery" VALUES(56,53,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'skipped',0,'2025-03-07 09:06:10.000000',NULL,NULL,'withdrawn','2025-03-07 09:06:00.000000','2025-03-08 09:03:00.000000');
INSERT INTO "delivery" VALUES(57,68,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'failed',1,'2025-03-22 09:14:00.000000',NULL,'ValueError(''Header values may not contain linefeed or carriage return characters'')',NULL,'2025-03-09 09:07:00.000000','2025-03-22 09:14:00.000000');
INSERT INTO "delivery" VALUES(58,69,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'failed',1,'2025-03-22 09:15:00.000000',NULL,'KeyError(''team_name'')',NULL,'2025-03-09 09:07:00.000000','2025-03-22 09:15:00.000000');
INSERT INTO "delivery" VALUES(60,71,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'failed',1,'2025-03-22 09:16:00.000000',NULL,'Address ''bob<@example.com'' contains characters not permitted in an SMTP mailbox',NULL,'2025-03-09 09:08:00.000000','2025-03-22 09:16:00.000000');
INSERT INTO "delivery" VALUES(61,72,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'dead',8,'2025-03-22 09:17:00.000000',NULL,'451 4.7.1 Greylisting in action, please come back later',NULL,'2025-03-09 09:08:00.000000','2025-03-22 09:17:00.000000');
INSERT INTO "delivery" VALUES(64,75,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:11:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:09:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(65,76,8,'email','heidi@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:11:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:09:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(66,77,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:12:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:10:00.000000','2025-03-13 09:03:00.000000');
INSERT INTO "delivery" VALUES(67,78,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:12:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:10:00.000000','2025-03-13 09:03:00.000000');
INSERT INTO "delivery" VALUES(69,80,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:13:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:11:00.000000','2025-03-16 09:02:00.000000');
INSERT INTO "delivery" VALUES(70,81,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:13:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:11:00.000000','2025-03-16 09:02:00.000000');
INSERT INTO "delivery" VALUES(71,82,8,'email','heidi@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:13:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:11:00.000000','2025-03-16 09:02:00.000000');
INSERT INTO "delivery" VALUES(72,83,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'dead',8,'2025-03-22 09:18:00.000000',NULL,'Each attempt broke off.',NULL,'2025-03-09 09:12:00.000000','2025-03-22 09:18:00.000000');
INSERT INTO "delivery" VALUES(73,84,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'dead',8,'2025-03-22 09:19:00.000000',NULL,'Unexpected EOF received',NULL,'2025-03-09 09:12:00.000000','2025-03-22 09:19:00.000000');
INSERT INTO "delivery" VALUES(75,86,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-23 09:20:00.000000',NULL,NULL,NULL,'2025-03-09 09:13:00.000000',NULL);
INSERT INTO "delivery" VALUES(76,87,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:16:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:14:00.000000','2025-03-13 09:04:00.000000');
INSERT INTO "delivery" VALUES(77,88,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-09 09:16:00.000000',NULL,NULL,'withdrawn','2025-03-09 09:14:00.000000','2025-03-13 09:04:00.000000');
INSERT INTO "delivery" VALUES(78,89,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-23 09:21:00.000000',NULL,NULL,'outage','2025-03-11 09:03:00.000000',NULL);
INSERT INTO "delivery" VALUES(79,91,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',1,'2025-03-23 09:22:00.000000',NULL,'451 4.3.0 Temporary lookup failure',NULL,'2025-03-11 09:03:00.000000',NULL);
INSERT INTO "delivery" VALUES(80,92,3,'email','carol@example.com',NULL,'digest',18,NULL,NULL,'pending',1,'2025-03-24 22:00:00.000000',NULL,'451 4.3.0 Temporary lookup failure',NULL,'2025-03-11 09:03:00.000000',NULL);
INSERT INTO "delivery" VALUES(82,89,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:55:00.000000',NULL,NULL,'read','2025-03-11 09:03:00.000000','2025-03-22 09:55:00.000000');
INSERT INTO "delivery" VALUES(83,91,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:56:00.000000',NULL,NULL,'unwanted','2025-03-11 09:03:00.000000','2025-03-22 09:56:00.000000');
INSERT INTO "delivery" VALUES(84,91,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:57:00.000000',NULL,NULL,'muted','2025-03-11 09:03:00.000000','2025-03-22 09:57:00.000000');
INSERT INTO "delivery" VALUES(85,92,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:58:00.000000',NULL,NULL,'visible','2025-03-11 09:03:00.000000','2025-03-22 09:58:00.000000');
INSERT INTO "delivery" VALUES(86,92,3,'push','Chrome on Android #5',NULL,'alone',NULL,NULL,NULL,'skipped',1,'2025-03-22 09:59:00.000000',NULL,NULL,'removed','2025-03-11 09:03:00.000000','2025-03-22 09:59:00.000000');
INSERT INTO "delivery" VALUES(88,99,1,'email','alice@example.com',NULL,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 09:24:00.000000',NULL,'421 4.3.2 Service shutting down','outage','2025-03-11 09:06:00.000000',NULL);
INSERT INTO "delivery" VALUES(89,99,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'skipped',1,'2025-03-22 10:00:00.000000',NULL,'503 from fcm.googleapis.com','withdrawn','2025-03-11 09:06:00.000000','2025-03-22 10:00:00.000000');
INSERT INTO "delivery" VALUES(90,100,3,'email','carol@example.com',NULL,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 09:25:00.000000',NULL,'535 5.7.8 Authentication credentials invalid','outage','2025-03-11 09:09:00.000000',NULL);
INSERT INTO "delivery" VALUES(91,100,3,'push','Edge on Windows #4',NULL,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:01:00.000000',NULL,'404 from updates.push.services.mozilla.com: the device has unsubscribed.',NULL,'2025-03-11 09:09:00.000000','2025-03-22 10:01:00.000000');
INSERT INTO "delivery" VALUES(92,100,3,'push','Chrome on Android #5',NULL,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:02:00.000000',NULL,'410 from fcm.googleapis.com: the device has unsubscribed.',NULL,'2025-03-11 09:09:00.000000','2025-03-22 10:02:00.000000');
INSERT INTO "delivery" VALUES(93,101,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',1,'2025-03-23 09:26:00.000000',NULL,'530 5.7.0 Must issue a STARTTLS command first','outage','2025-03-11 09:12:00.000000',NULL);
INSERT INTO "delivery" VALUES(94,102,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',2,'2025-03-23 09:27:00.000000',NULL,'Timed out connecting to mail.example.com on port 587','outage','2025-03-11 09:12:00.000000',NULL);
INSERT INTO "delivery" VALUES(95,104,3,'email','carol@example.com',NULL,'digest',NULL,NULL,NULL,'pending',1,'2025-03-30 22:00:00.000000',NULL,'Error connecting to mail.example.com on port 587: [Errno 111] Connect call failed (''192.0.2.1'', 587)','outage','2025-03-11 09:12:00.000000',NULL);
INSERT INTO "delivery" VALUES(97,108,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-11 09:14:00.000000',NULL,NULL,'withdrawn','2025-03-11 09:12:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(98,109,8,'email','heidi@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-11 09:14:00.000000',NULL,NULL,'withdrawn','2025-03-11 09:12:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(99,101,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:03:00.000000',NULL,'400 from fcm.googleapis.com',NULL,'2025-03-11 09:12:00.000000','2025-03-22 10:03:00.000000');
INSERT INTO "delivery" VALUES(100,101,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:04:00.000000',NULL,'401 from web.push.apple.com',NULL,'2025-03-11 09:12:00.000000','2025-03-22 10:04:00.000000');
INSERT INTO "delivery" VALUES(101,102,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:05:00.000000',NULL,'403 from updates.push.services.mozilla.com',NULL,'2025-03-11 09:12:00.000000','2025-03-22 10:05:00.000000');
INSERT INTO "delivery" VALUES(102,104,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:06:00.000000',NULL,'413 from fcm.googleapis.com',NULL,'2025-03-11 09:12:00.000000','2025-03-22 10:06:00.000000');
INSERT INTO "delivery" VALUES(103,104,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:07:00.000000',NULL,'This is not the address of a push service.',NULL,'2025-03-11 09:12:00.000000','2025-03-22 10:07:00.000000');
INSERT INTO "delivery" VALUES(105,110,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',1,'2025-03-23 09:29:00.000000',NULL,'Error connecting to mail.example.com on port 587: [Errno -2] Name or service not known','outage','2025-03-11 09:15:00.000000',NULL);
INSERT INTO "delivery" VALUES(106,112,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',1,'2025-03-23 09:30:00.000000',NULL,'SMTP AUTH extension not supported by server.','outage','2025-03-11 09:15:00.000000',NULL);
INSERT INTO "delivery" VALUES(107,113,3,'email','carol@example.com',NULL,'digest',NULL,NULL,NULL,'pending',1,'2025-03-30 22:00:00.000000',NULL,'-1 Malformed SMTP response line: ''HTTP/1.1 400 Bad Request''','outage','2025-03-11 09:15:00.000000',NULL);
INSERT INTO "delivery" VALUES(109,110,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:08:00.000000',NULL,'This push service is not one of those that are allowed.',NULL,'2025-03-11 09:15:00.000000','2025-03-22 10:08:00.000000');
INSERT INTO "delivery" VALUES(110,112,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:09:00.000000',NULL,'The push service is at an address inside our own network.',NULL,'2025-03-11 09:15:00.000000','2025-03-22 10:09:00.000000');
INSERT INTO "delivery" VALUES(111,112,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'failed',1,'2025-03-22 10:10:00.000000',NULL,'ValueError(''Could not deserialize key data.'')',NULL,'2025-03-11 09:15:00.000000','2025-03-22 10:10:00.000000');
INSERT INTO "delivery" VALUES(112,113,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:11:00.000000',NULL,NULL,NULL,'2025-03-11 09:15:00.000000',NULL);
INSERT INTO "delivery" VALUES(113,113,3,'push','Chrome on Android #5',NULL,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:12:00.000000',NULL,NULL,NULL,'2025-03-11 09:15:00.000000',NULL);
INSERT INTO "delivery" VALUES(115,120,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',1,'2025-03-23 09:32:00.000000',NULL,'Timed out waiting for server response',NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(116,122,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',1,'2025-03-23 09:33:00.000000',NULL,'TimeoutError',NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(117,123,3,'email','carol@example.com',NULL,'digest',NULL,NULL,NULL,'pending',1,'2025-03-30 22:00:00.000000','worker-1.00112233445566aa',NULL,NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(119,120,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 10:13:00.000000',NULL,'408 from fcm.googleapis.com',NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(120,122,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 10:14:00.000000',NULL,'425 from fcm.googleapis.com',NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(121,122,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'pending',3,'2025-03-23 10:15:00.000000',NULL,'429 from updates.push.services.mozilla.com',NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(122,123,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 10:16:00.000000',NULL,'500 from fcm.googleapis.com',NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(123,123,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 10:17:00.000000',NULL,'503 from fcm.googleapis.com',NULL,'2025-03-11 09:18:00.000000',NULL);
INSERT INTO "delivery" VALUES(125,130,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',2,'2025-03-23 09:35:00.000000','worker-9.00112233445566bb','Connection lost',NULL,'2025-03-11 09:21:00.000000',NULL);
INSERT INTO "delivery" VALUES(126,132,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',2,'2025-03-22 09:36:00.000000',NULL,'452 4.2.2 Over quota','withdrawn','2025-03-11 09:21:00.000000','2025-03-22 09:36:00.000000');
INSERT INTO "delivery" VALUES(127,133,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',1,'2025-03-22 09:37:00.000000',NULL,NULL,NULL,'2025-03-11 09:21:00.000000','2025-03-22 09:37:00.000000');
INSERT INTO "delivery" VALUES(129,130,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:18:00.000000',NULL,'fcm.googleapis.com: No answer within 10 seconds.',NULL,'2025-03-11 09:21:00.000000',NULL);
INSERT INTO "delivery" VALUES(130,132,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:19:00.000000',NULL,'updates.push.services.mozilla.com: The answer was not HTTP.',NULL,'2025-03-11 09:21:00.000000',NULL);
INSERT INTO "delivery" VALUES(131,132,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:20:00.000000',NULL,'fcm.googleapis.com: The push service has hung up.',NULL,'2025-03-11 09:21:00.000000',NULL);
INSERT INTO "delivery" VALUES(132,133,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:21:00.000000',NULL,'web.push.apple.com: It has no address.',NULL,'2025-03-11 09:21:00.000000',NULL);
INSERT INTO "delivery" VALUES(133,133,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:22:00.000000',NULL,'fcm.googleapis.com: [Errno 111] Connect call failed (''192.0.2.7'', 443)',NULL,'2025-03-11 09:21:00.000000',NULL);
INSERT INTO "delivery" VALUES(135,140,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-23 09:38:00.000000',NULL,NULL,NULL,'2025-03-11 09:24:00.000000',NULL);
INSERT INTO "delivery" VALUES(136,141,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',1,'2025-03-22 09:39:00.000000',NULL,NULL,NULL,'2025-03-11 09:24:00.000000','2025-03-22 09:39:00.000000');
INSERT INTO "delivery" VALUES(137,143,3,'email','carol@example.com',NULL,'digest',NULL,NULL,NULL,'pending',0,'2025-03-30 22:00:00.000000',NULL,NULL,NULL,'2025-03-11 09:24:00.000000',NULL);
INSERT INTO "delivery" VALUES(139,147,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-11 09:26:00.000000',NULL,NULL,'withdrawn','2025-03-11 09:24:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(140,148,8,'email','heidi@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-11 09:26:00.000000',NULL,NULL,'withdrawn','2025-03-11 09:24:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(141,140,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:23:00.000000',NULL,'updates.push.services.mozilla.com: [Errno -2] Name or service not known',NULL,'2025-03-11 09:24:00.000000',NULL);
INSERT INTO "delivery" VALUES(142,140,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:24:00.000000',NULL,'fcm.googleapis.com: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)',NULL,'2025-03-11 09:24:00.000000',NULL);
INSERT INTO "delivery" VALUES(143,141,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:25:00.000000',NULL,'fcm.googleapis.com: ConnectionResetError',NULL,'2025-03-11 09:24:00.000000',NULL);
INSERT INTO "delivery" VALUES(144,143,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 10:26:00.000000',NULL,'RuntimeError(''what nobody foresaw'')',NULL,'2025-03-11 09:24:00.000000',NULL);
INSERT INTO "delivery" VALUES(145,143,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'pending',1,'2025-03-23 10:27:00.000000','worker-1.00112233445566cc',NULL,NULL,'2025-03-11 09:24:00.000000',NULL);
INSERT INTO "delivery" VALUES(147,149,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',1,'2025-03-22 09:41:00.000000',NULL,NULL,NULL,'2025-03-11 09:27:00.000000','2025-03-22 09:41:00.000000');
INSERT INTO "delivery" VALUES(148,150,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-23 09:42:00.000000',NULL,NULL,NULL,'2025-03-11 09:27:00.000000',NULL);
INSERT INTO "delivery" VALUES(149,151,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',1,'2025-03-22 09:43:00.000000',NULL,NULL,NULL,'2025-03-11 09:27:00.000000','2025-03-22 09:43:00.000000');
INSERT INTO "delivery" VALUES(151,149,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'pending',2,'2025-03-23 10:28:00.000000','worker-9.00112233445566dd','500 from fcm.googleapis.com',NULL,'2025-03-11 09:27:00.000000',NULL);
INSERT INTO "delivery" VALUES(152,149,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'dead',1,'2025-03-22 10:29:00.000000',NULL,'It was no news any more.',NULL,'2025-03-11 09:27:00.000000','2025-03-22 10:29:00.000000');
INSERT INTO "delivery" VALUES(153,150,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'dead',5,'2025-03-22 10:30:00.000000',NULL,'It was no news any more. Before: 503 from fcm.googleapis.com',NULL,'2025-03-11 09:27:00.000000','2025-03-22 10:30:00.000000');
INSERT INTO "delivery" VALUES(154,151,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'dead',6,'2025-03-22 10:31:00.000000',NULL,'It was no news any more. Before: updates.push.services.mozilla.com: No answer within 10 seconds.',NULL,'2025-03-11 09:27:00.000000','2025-03-22 10:31:00.000000');
INSERT INTO "delivery" VALUES(155,151,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'dead',4,'2025-03-22 10:32:00.000000',NULL,'It was no news any more. Before: RuntimeError(''what nobody foresaw'')',NULL,'2025-03-11 09:27:00.000000','2025-03-22 10:32:00.000000');
INSERT INTO "delivery" VALUES(157,154,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-23 09:44:00.000000',NULL,NULL,NULL,'2025-03-11 09:30:00.000000',NULL);
INSERT INTO "delivery" VALUES(158,156,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',1,'2025-03-22 09:45:00.000000',NULL,NULL,NULL,'2025-03-11 09:30:00.000000','2025-03-22 09:45:00.000000');
INSERT INTO "delivery" VALUES(159,157,3,'email','carol@example.com',NULL,'digest',NULL,NULL,NULL,'pending',0,'2025-03-30 22:00:00.000000',NULL,NULL,NULL,'2025-03-11 09:30:00.000000',NULL);
INSERT INTO "delivery" VALUES(161,154,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'dead',38,'2025-03-22 10:33:00.000000',NULL,'429 from updates.push.services.mozilla.com',NULL,'2025-03-11 09:30:00.000000','2025-03-22 10:33:00.000000');
INSERT INTO "delivery" VALUES(162,156,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'dead',38,'2025-03-22 10:34:00.000000',NULL,'web.push.apple.com: The push service has hung up.',NULL,'2025-03-11 09:30:00.000000','2025-03-22 10:34:00.000000');
INSERT INTO "delivery" VALUES(163,156,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'dead',38,'2025-03-22 10:35:00.000000',NULL,'Each attempt broke off.',NULL,'2025-03-11 09:30:00.000000','2025-03-22 10:35:00.000000');
INSERT INTO "delivery" VALUES(164,157,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:36:00.000000',NULL,NULL,NULL,'2025-03-11 09:30:00.000000','2025-03-22 10:36:00.000000');
INSERT INTO "delivery" VALUES(165,157,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:37:00.000000',NULL,NULL,NULL,'2025-03-11 09:30:00.000000',NULL);
INSERT INTO "delivery" VALUES(167,164,2,'email','bob@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',1,'2025-03-22 09:47:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000','2025-03-22 09:47:00.000000');
INSERT INTO "delivery" VALUES(168,165,1,'email','alice@example.com',NULL,'bundle',NULL,NULL,NULL,'pending',0,'2025-03-23 09:48:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000',NULL);
INSERT INTO "delivery" VALUES(169,167,3,'email','carol@example.com',NULL,'bundle',NULL,NULL,NULL,'sent',1,'2025-03-22 09:49:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000','2025-03-22 09:49:00.000000');
INSERT INTO "delivery" VALUES(171,171,7,'email','Grace.H@Example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-11 09:35:00.000000',NULL,NULL,'withdrawn','2025-03-11 09:33:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(172,172,8,'email','heidi@example.com',NULL,'bundle',NULL,NULL,NULL,'skipped',0,'2025-03-11 09:35:00.000000',NULL,NULL,'withdrawn','2025-03-11 09:33:00.000000','2025-03-13 09:01:00.000000');
INSERT INTO "delivery" VALUES(173,164,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:38:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000','2025-03-22 10:38:00.000000');
INSERT INTO "delivery" VALUES(174,164,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:39:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000',NULL);
INSERT INTO "delivery" VALUES(175,165,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:40:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000','2025-03-22 10:40:00.000000');
INSERT INTO "delivery" VALUES(176,167,3,'push','Edge on Windows #4',4,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:41:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000',NULL);
INSERT INTO "delivery" VALUES(177,167,3,'push','Chrome on Android #5',5,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:42:00.000000',NULL,NULL,NULL,'2025-03-11 09:33:00.000000','2025-03-22 10:42:00.000000');
INSERT INTO "delivery" VALUES(179,173,2,'email','bob@example.com',NULL,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 09:50:00.000000',NULL,NULL,NULL,'2025-03-11 09:36:00.000000',NULL);
INSERT INTO "delivery" VALUES(180,173,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:43:00.000000',NULL,NULL,NULL,'2025-03-11 09:36:00.000000',NULL);
INSERT INTO "delivery" VALUES(181,173,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:44:00.000000',NULL,NULL,NULL,'2025-03-11 09:36:00.000000','2025-03-22 10:44:00.000000');
INSERT INTO "delivery" VALUES(182,174,1,'email','alice@example.com',NULL,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 09:51:00.000000',NULL,NULL,NULL,'2025-03-11 09:39:00.000000','2025-03-22 09:51:00.000000');
INSERT INTO "delivery" VALUES(183,174,1,'push','Chrome on macOS #1',1,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:45:00.000000',NULL,NULL,NULL,'2025-03-11 09:39:00.000000',NULL);
INSERT INTO "delivery" VALUES(184,183,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:46:00.000000',NULL,NULL,NULL,'2025-03-14 09:01:00.000000','2025-03-22 10:46:00.000000');
INSERT INTO "delivery" VALUES(185,183,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:47:00.000000',NULL,NULL,NULL,'2025-03-14 09:01:00.000000',NULL);
INSERT INTO "delivery" VALUES(186,186,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:48:00.000000',NULL,NULL,NULL,'2025-03-14 09:02:00.000000','2025-03-22 10:48:00.000000');
INSERT INTO "delivery" VALUES(187,186,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:49:00.000000',NULL,NULL,NULL,'2025-03-14 09:02:00.000000',NULL);
INSERT INTO "delivery" VALUES(188,190,2,'push','Firefox on Linux #2',2,'alone',NULL,NULL,NULL,'sent',1,'2025-03-22 10:50:00.000000',NULL,NULL,NULL,'2025-03-14 09:04:00.000000','2025-03-22 10:50:00.000000');
INSERT INTO "delivery" VALUES(189,190,2,'push','Safari on iPhone #3',3,'alone',NULL,NULL,NULL,'pending',0,'2025-03-23 10:51:00.000000',NULL,NULL,NULL,'2025-03-14 09:04:00.000000',NULL);
INSERT INTO "delivery" VALUES(190,NULL,1,'email','alice@example.com',NULL,'alone',NULL,'confirm_address','{"account_id": 1, "username": "alice", "email": "alice@example.com"}','sent',1,'2025-03-21 09:01:00.000000',NULL,NULL,NULL,'2025-03-21 09:01:00.000000','2025-03-21 09:01:00.000000');
INSERT INTO "delivery" VALUES(191,NULL,1,'email','alice@example.com',NULL,'alone',NULL,'confirm_address','{"account_id": 1, "username": "alice", "email": "alice@example.com"}','skipped',1,'2025-03-21 09:02:00.000000',NULL,NULL,'confirmed','2025-03-21 09:02:00.000000','2025-03-21 09:02:00.000000');
INSERT INTO "delivery" VALUES(192,NULL,4,'email','dave@example.com',NULL,'alone',NULL,'confirm_address','{"account_id": 4, "username": "dave", "email": "dave@example.com"}','failed',1,'2025-03-21 09:03:00.000000',NULL,'550 5.1.1 <dave@example.com>: Recipient address rejected: User unknown in local recipient table',NULL,'2025-03-21 09:03:00.000000','2025-03-21 09:03:00.000000');
INSERT INTO "delivery" VALUES(193,NULL,4,'email','dave@example.com',NULL,'alone',NULL,'confirm_address','{"account_id": 4, "username": "dave", "email": "dave@example.com"}','dead',8,'2025-03-21 09:04:00.000000',NULL,'451 4.7.1 Greylisting in action, please come back later',NULL,'2025-03-21 09:04:00.000000','2025-03-21 09:04:00.000000');
INSERT INTO "delivery" VALUES(194,NULL,4,'email','dave@example.com',NULL,'alone',NULL,'confirm_address','{"account_id": 4, "username": "dave", "email": "dave@example.com"}','pending',3,'2025-03-22 09:05:00.000000',NULL,'421 4.3.2 Service shutting down',NULL,'2025-03-21 09:05:00.000000',NULL);
INSERT INTO "delivery" VALUES(195,NULL,2,'email','bob@example.com',NULL,'alone',NULL,'reset_password','{"account_id": 2, "username": "bob", "fingerprint": "f0ec6efbec2df5a6208c8b43"}','sent',2,'2025-03-21 09:06:00.000000',NULL,NULL,NULL,'2025-03-21 09:06:00.000000','2025-03-21 09:06:00.000000');
INSERT INTO "delivery" VALUES(196,NULL,2,'email','bob@example.com',NULL,'alone',NULL,'reset_password','{"account_id": 2, "username": "bob", "fingerprint": "f0ec6efbec2df5a6208c8b43"}','pending',1,'2025-03-21 09:19:00.000000','worker-1.0123456789abcdef',NULL,NULL,'2025-03-21 09:07:00.000000',NULL);
INSERT INTO "delivery" VALUES(197,NULL,2,'email','bob@example.com',NULL,'alone',NULL,'reset_password','{"account_id": 2, "username": "bob", "fingerprint": "f0ec6efbec2df5a6208c8b43"}','failed',1,'2025-03-21 09:08:00.000000',NULL,'554 5.7.1 Message rejected under suspicion of SPAM',NULL,'2025-03-21 09:08:00.000000','2025-03-21 09:08:00.000000');
INSERT INTO "delivery" VALUES(198,NULL,4,'email','dave@example.com',NULL,'alone',NULL,'reset_password','{"account_id": 4, "username": "dave", "fingerprint": "4d716045b164652e8437662a"}','dead',8,'2025-03-21 09:09:00.000000',NULL,'Each attempt broke off.',NULL,'2025-03-21 09:09:00.000000','2025-03-21 09:09:00.000000');
INSERT INTO "delivery" VALUES(199,NULL,1,'email','alice@example.com',NULL,'alone',NULL,'reset_password','{"account_id": 1, "username": "alice", "fingerprint": "65f41292aa9a7eb539b8830b"}','failed',1,'2025-03-21 09:10:00.000000',NULL,'KeyError(''fingerprint'')',NULL,'2025-03-21 09:10:00.000000','2025-03-21 09:10:00.000000');
INSERT INTO "delivery" VALUES(200,NULL,NULL,'email','newcomer@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 4, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','sent',1,'2025-03-21 09:11:00.000000',NULL,NULL,NULL,'2025-03-21 09:11:00.000000','2025-03-21 09:11:00.000000');
INSERT INTO "delivery" VALUES(201,NULL,NULL,'email','newcomer@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 4, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','pending',1,'2025-03-22 09:12:00.000000',NULL,'Timed out connecting to mail.example.com on port 587','outage','2025-03-21 09:12:00.000000',NULL);
INSERT INTO "delivery" VALUES(202,NULL,NULL,'email','nobody@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 9999, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','skipped',1,'2025-03-21 09:13:00.000000',NULL,NULL,'answered','2025-03-21 09:13:00.000000','2025-03-21 09:13:00.000000');
INSERT INTO "delivery" VALUES(203,NULL,NULL,'email','müller@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 4, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','failed',1,'2025-03-21 09:14:00.000000',NULL,'Address ''müller@example.com'' contains characters not permitted in an SMTP mailbox',NULL,'2025-03-21 09:14:00.000000','2025-03-21 09:14:00.000000');
INSERT INTO "delivery" VALUES(204,NULL,NULL,'email','newcomer@example.com',NULL,'alone',NULL,'invitation','{"language": "en", "invitation_id": 4, "team": "Video Squad", "role": "viewer", "inviter": "alice"}','dead',8,'2025-03-21 09:15:00.000000',NULL,'Connection lost',NULL,'2025-03-21 09:15:00.000000','2025-03-21 09:15:00.000000');
INSERT INTO "delivery" VALUES(205,NULL,5,'email','erin.old@example.com',NULL,'alone',NULL,'address_changed','{"username": "erin", "email": "erin@example.com"}','sent',1,'2025-03-21 09:16:00.000000',NULL,NULL,NULL,'2025-03-21 09:16:00.000000','2025-03-21 09:16:00.000000');
INSERT INTO "delivery" VALUES(206,NULL,5,'email','erin.older@example.com',NULL,'alone',NULL,'address_changed','{"username": "erin", "email": "erin@example.com"}','pending',0,'2025-03-22 09:17:00.000000',NULL,NULL,'outage','2025-03-21 09:17:00.000000',NULL);
INSERT INTO "delivery" VALUES(207,NULL,5,'email','erin.oldest@example.com',NULL,'alone',NULL,'address_changed','{"username": "erin", "email": "erin@example.com"}','failed',2,'2025-03-21 09:18:00.000000',NULL,'552 5.2.2 Mailbox full',NULL,'2025-03-21 09:18:00.000000','2025-03-21 09:18:00.000000');
INSERT INTO "delivery" VALUES(208,NULL,2,'push','Chrome on Linux #6',6,'alone',NULL,'push_test',NULL,'sent',1,'2025-03-25 09:01:00.000000',NULL,NULL,NULL,'2099-01-01 00:00:00.000000','2025-03-25 09:01:00.000000');
INSERT INTO "delivery" VALUES(209,NULL,2,'push','Chrome on Linux 2 #7',7,'alone',NULL,'push_test',NULL,'pending',0,'2025-03-26 09:02:00.000000',NULL,NULL,NULL,'2099-01-01 00:00:00.000000',NULL);
INSERT INTO "delivery" VALUES(210,NULL,2,'push','Edge on Windows #8',8,'alone',NULL,'push_test',NULL,'pending',1,'2025-03-26 09:03:00.000000',NULL,'503 from fcm.googleapis.com',NULL,'2099-01-01 00:00:00.000000',NULL);
INSERT INTO "delivery" VALUES(211,NULL,2,'push','Opera on Windows #9',9,'alone',NULL,'push_test',NULL,'pending',2,'2025-03-26 09:04:00.000000',NULL,'fcm.googleapis.com: No answer within 10 seconds.',NULL,'2099-01-01 00:00:00.000000',NULL);
INSERT INTO "delivery" VALUES(212,NULL,2,'push','Firefox on Android #10',10,'alone',NULL,'push_test',NULL,'failed',1,'2025-03-25 09:05:00.000000',NULL,'403 from updates.push.services.mozilla.com',NULL,'2099-01-01 00:00:00.000000','2025-03-25 09:05:00.000000');
INSERT INTO "delivery" VALUES(213,NULL,2,'push','Firefox on macOS #11',11,'alone',NULL,'push_test',NULL,'failed',1,'2025-03-25 09:06:00.000000',NULL,'ValueError(''Could not deserialize key data.'')',NULL,'2099-01-01 00:00:00.000000','2025-03-25 09:06:00.000000');
INSERT INTO "delivery" VALUES(214,NULL,2,'push','Safari on iPad #12',12,'alone',NULL,'push_test',NULL,'dead',4,'2025-03-25 09:07:00.000000',NULL,'It was no news any more. Before: 429 from web.push.apple.com',NULL,'2099-01-01 00:00:00.000000','2025-03-25 09:07:00.000000');
INSERT INTO "delivery" VALUES(215,NULL,2,'push','Safari on macOS #13',13,'alone',NULL,'push_test',NULL,'dead',38,'2025-03-25 09:08:00.000000',NULL,'503 from web.push.apple.com',NULL,'2099-01-01 00:00:00.000000','2025-03-25 09:08:00.000000');
INSERT INTO "delivery" VALUES(216,NULL,2,'push','Chrome on ChromeOS #14',14,'alone',NULL,'push_test',NULL,'skipped',1,'2025-03-25 09:09:00.000000',NULL,NULL,'removed','2099-01-01 00:00:00.000000','2025-03-25 09:09:00.000000');
INSERT INTO "delivery" VALUES(217,NULL,2,'push','Edge on Android #15',NULL,'alone',NULL,'push_test',NULL,'failed',1,'2025-03-25 09:10:00.000000',NULL,'410 from fcm.googleapis.com: the device has unsubscribed.',NULL,'2099-01-01 00:00:00.000000','2025-03-25 09:10:00.000000');
INSERT INTO "delivery" VALUES(218,NULL,2,'push','Opera on Linux #15',NULL,'alone',NULL,'push_test',NULL,'failed',1,'2025-03-25 09:11:00.000000',NULL,'404 from updates.push.services.mozilla.com: the device has unsubscribed.',NULL,'2025-03-25 09:09:00.000000','2025-03-25 09:11:00.000000');
CREATE TABLE event (
	id INTEGER NOT NULL, 
	type VARCHAR(32) NOT NULL, 
	actor_id INTEGER, 
	affected_id INTEGER, 
	team_id INTEGER, 
	project_id INTEGER, 
	invitation_id INTEGER, 
	compilation_id INTEGER, 
	context JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_event PRIMARY KEY (id), 
	CONSTRAINT fk_event_actor_id_account FOREIGN KEY(actor_id) REFERENCES account (id) ON DELETE SET NULL, 
	CONSTRAINT fk_event_affected_id_account FOREIGN KEY(affected_id) REFERENCES account (id) ON DELETE SET NULL, 
	CONSTRAINT fk_event_compilation_id_compilation FOREIGN KEY(compilation_id) REFERENCES compilation (id) ON DELETE SET NULL, 
	CONSTRAINT fk_event_invitation_id_invitation FOREIGN KEY(invitation_id) REFERENCES invitation (id) ON DELETE SET NULL, 
	CONSTRAINT fk_event_project_id_project FOREIGN KEY(project_id) REFERENCES project (id) ON DELETE SET NULL, 
	CONSTRAINT fk_event_team_id_team FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE SET NULL
);
INSERT INTO "event" VALUES(1,'team_created',1,NULL,1,NULL,NULL,NULL,'{"team_name": "Video Squad"}','2025-03-03 09:01:00.000000');
INSERT INTO "event" VALUES(2,'team_created',2,NULL,2,NULL,NULL,NULL,'{"team_name": "Film & <Friends>"}','2025-03-03 09:02:00.000000');
INSERT INTO "event" VALUES(3,'team_created',1,NULL,NULL,NULL,NULL,NULL,'{"team_name": "Old Crew"}','2025-03-03 09:03:00.000000');
INSERT INTO "event" VALUES(4,'team_created',1,NULL,4,NULL,NULL,NULL,'{"team_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5"}','2025-03-03 09:04:00.000000');
INSERT INTO "event" VALUES(5,'team_created',3,NULL,5,NULL,NULL,NULL,'{"team_name": "Carol alone"}','2025-03-03 09:05:00.000000');
INSERT INTO "event" VALUES(6,'invitation_received',1,2,1,NULL,1,NULL,'{"username": "bob", "team_name": "Video Squad", "role": "editor", "inviter": "alice"}','2025-03-04 09:01:00.000000');
INSERT INTO "event" VALUES(8,'member_added',2,2,1,NULL,NULL,NULL,'{"username": "bob", "team_name": "Video Squad", "role": "editor"}','2025-03-04 09:02:00.000000');
INSERT INTO "event" VALUES(9,'invitation_received',1,NULL,1,NULL,2,NULL,'{"username": "Someone", "team_name": "Video Squad", "role": "viewer", "inviter": "alice"}','2025-03-04 09:03:00.000000');
INSERT INTO "event" VALUES(11,'member_added',NULL,NULL,1,NULL,NULL,NULL,'{"username": "Someone", "team_name": "Video Squad", "role": "viewer"}','2025-03-04 09:04:00.000000');
INSERT INTO "event" VALUES(12,'invitation_received',1,5,1,NULL,3,NULL,'{"username": "erin", "team_name": "Video Squad", "role": "admin", "inviter": "alice"}','2025-03-04 09:05:00.000000');
INSERT INTO "event" VALUES(14,'invitation_declined',5,NULL,1,NULL,3,NULL,'{"team_name": "Video Squad", "username": "erin"}','2025-03-04 09:06:00.000000');
INSERT INTO "event" VALUES(15,'member_added',1,3,1,NULL,NULL,NULL,'{"username": "carol", "team_name": "Video Squad", "role": "viewer"}','2025-03-04 09:07:00.000000');
INSERT INTO "event" VALUES(16,'member_added',1,7,1,NULL,NULL,NULL,'{"username": "Grace.H", "team_name": "Video Squad", "role": "editor"}','2025-03-04 09:08:00.000000');
INSERT INTO "event" VALUES(17,'invitation_received',2,1,2,NULL,9,NULL,'{"username": "alice", "team_name": "Film & <Friends>", "role": "viewer", "inviter": "bob"}','2025-03-06 09:01:00.000000');
INSERT INTO "event" VALUES(18,'invitation_received',2,3,2,NULL,10,NULL,'{"username": "carol", "team_name": "Film & <Friends>", "role": "editor", "inviter": "bob"}','2025-03-06 09:02:00.000000');
INSERT INTO "event" VALUES(19,'invitation_received',2,5,2,NULL,11,NULL,'{"username": "erin", "team_name": "Film & <Friends>", "role": "viewer", "inviter": "bob"}','2025-03-06 09:03:00.000000');
INSERT INTO "event" VALUES(21,'member_added',2,NULL,2,NULL,NULL,NULL,'{"username": "Someone", "team_name": "Film & <Friends>", "role": "editor"}','2025-03-06 09:05:00.000000');
INSERT INTO "event" VALUES(22,'member_added',2,5,2,NULL,NULL,NULL,'{"username": "erin", "team_name": "Film & <Friends>", "role": "editor"}','2025-03-06 09:06:00.000000');
INSERT INTO "event" VALUES(23,'member_added',2,7,2,NULL,NULL,NULL,'{"username": "Grace.H", "team_name": "Film & <Friends>", "role": "editor"}','2025-03-06 09:07:00.000000');
INSERT INTO "event" VALUES(24,'member_added',2,8,2,NULL,NULL,NULL,'{"username": "heidi", "team_name": "Film & <Friends>", "role": "viewer"}','2025-03-06 09:08:00.000000');
INSERT INTO "event" VALUES(25,'member_added',1,2,NULL,NULL,NULL,NULL,'{"username": "bob", "team_name": "Old Crew", "role": "admin"}','2025-03-06 09:09:00.000000');
INSERT INTO "event" VALUES(26,'member_added',1,2,4,NULL,NULL,NULL,'{"username": "bob", "team_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5", "role": "editor"}','2025-03-06 09:10:00.000000');
INSERT INTO "event" VALUES(27,'member_added',1,3,NULL,NULL,NULL,NULL,'{"username": "carol", "team_name": "Old Crew", "role": "admin"}','2025-03-06 09:11:00.000000');
INSERT INTO "event" VALUES(28,'member_added',1,3,4,NULL,NULL,NULL,'{"username": "carol", "team_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5", "role": "editor"}','2025-03-06 09:12:00.000000');
INSERT INTO "event" VALUES(29,'member_role_changed',1,3,1,NULL,NULL,NULL,'{"username": "carol", "team_name": "Video Squad", "old_role": "viewer", "new_role": "editor"}','2025-03-07 09:01:00.000000');
INSERT INTO "event" VALUES(30,'member_role_changed',1,7,1,NULL,NULL,NULL,'{"username": "Grace.H", "team_name": "Video Squad", "old_role": "editor", "new_role": "admin"}','2025-03-07 09:02:00.000000');
INSERT INTO "event" VALUES(31,'member_role_changed',1,2,1,NULL,NULL,NULL,'{"username": "bob", "team_name": "Video Squad", "old_role": "editor", "new_role": "admin"}','2025-03-07 09:03:00.000000');
INSERT INTO "event" VALUES(32,'member_role_changed',1,2,4,NULL,NULL,NULL,'{"username": "bob", "team_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5", "old_role": "editor", "new_role": "owner"}','2025-03-07 09:04:00.000000');
INSERT INTO "event" VALUES(33,'team_updated',1,NULL,NULL,NULL,NULL,NULL,'{"team_name": "Older Crew", "old_name": "Old Crew", "new_name": "Older Crew"}','2025-03-07 09:05:00.000000');
INSERT INTO "event" VALUES(34,'team_updated',2,NULL,4,NULL,NULL,NULL,'{"team_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5 2", "old_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5", "new_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5 2"}','2025-03-07 09:06:00.000000');
INSERT INTO "event" VALUES(35,'team_updated',2,NULL,2,NULL,NULL,NULL,'{"team_name": "Film & <Family>", "old_name": "Film & <Friends>", "new_name": "Film & <Family>"}','2025-03-07 09:07:00.000000');
INSERT INTO "event" VALUES(37,'member_left',5,5,2,NULL,NULL,NULL,'{"username": "erin", "team_name": "Film & <Family>"}','2025-03-08 09:01:00.000000');
INSERT INTO "event" VALUES(39,'member_removed',1,7,1,NULL,NULL,NULL,'{"username": "Grace.H", "team_name": "Video Squad"}','2025-03-08 09:02:00.000000');
INSERT INTO "event" VALUES(41,'member_removed',2,3,4,NULL,NULL,NULL,'{"username": "carol", "team_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5 2"}','2025-03-08 09:03:00.000000');
INSERT INTO "event" VALUES(42,'project_shared',1,NULL,1,1,NULL,NULL,'{"team_name": "Video Squad", "project_name": "Highlight Reel"}','2025-03-09 09:07:00.000000');
INSERT INTO "event" VALUES(43,'project_shared',2,NULL,1,2,NULL,NULL,'{"team_name": "Video Squad", "project_name": "Best Clips <2025> & more"}','2025-03-09 09:08:00.000000');
INSERT INTO "event" VALUES(44,'project_shared',2,NULL,2,2,NULL,NULL,'{"team_name": "Film & <Family>", "project_name": "Best Clips <2025> & more"}','2025-03-09 09:09:00.000000');
INSERT INTO "event" VALUES(45,'project_shared',2,NULL,1,NULL,NULL,NULL,'{"team_name": "Video Squad", "project_name": "Doomed"}','2025-03-09 09:10:00.000000');
INSERT INTO "event" VALUES(46,'project_shared',NULL,NULL,2,NULL,NULL,NULL,'{"team_name": "Film & <Family>", "project_name": "Frank''s"}','2025-03-09 09:11:00.000000');
INSERT INTO "event" VALUES(47,'project_shared',3,NULL,1,6,NULL,NULL,'{"team_name": "Video Squad", "project_name": "\u05e1\u05e8\u05d8"}','2025-03-09 09:12:00.000000');
INSERT INTO "event" VALUES(48,'project_shared',1,NULL,4,1,NULL,NULL,'{"team_name": "\u05e6\u05d5\u05d5\u05ea \u05d5\u05d9\u05d3\u05d0\u05d5 2", "project_name": "Highlight Reel"}','2025-03-09 09:13:00.000000');
INSERT INTO "event" VALUES(49,'project_shared',1,NULL,NULL,1,NULL,NULL,'{"team_name": "Older Crew", "project_name": "Highlight Reel"}','2025-03-09 09:14:00.000000');
INSERT INTO "event" VALUES(50,'compilation_completed',NULL,NULL,NULL,1,NULL,1,'{"project_name": "Highlight Reel", "thumbnail": "/projects/1/compilations/1/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:03:00.000000');
INSERT INTO "event" VALUES(51,'compilation_failed',NULL,NULL,NULL,1,NULL,2,'{"project_name": "Highlight Reel", "error": "The clips could not be joined. Try again, or tell who runs this server."}','2025-03-11 09:06:00.000000');
INSERT INTO "event" VALUES(52,'compilation_failed',NULL,NULL,NULL,6,NULL,3,'{"project_name": "\u05e1\u05e8\u05d8", "error": "''a <b>.mp4'' is empty. Upload it again or remove it."}','2025-03-11 09:09:00.000000');
INSERT INTO "event" VALUES(53,'compilation_completed',NULL,NULL,NULL,2,NULL,4,'{"project_name": "Best Clips <2025> & more", "thumbnail": "/projects/2/compilations/4/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:12:00.000000');
INSERT INTO "event" VALUES(54,'compilation_completed',NULL,NULL,NULL,1,NULL,5,'{"project_name": "Highlight Reel", "thumbnail": "/projects/1/compilations/5/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:15:00.000000');
INSERT INTO "event" VALUES(55,'compilation_completed',NULL,NULL,NULL,1,NULL,6,'{"project_name": "Highlight Reel", "thumbnail": "/projects/1/compilations/6/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:18:00.000000');
INSERT INTO "event" VALUES(56,'compilation_completed',NULL,NULL,NULL,1,NULL,7,'{"project_name": "Highlight Reel", "thumbnail": "/projects/1/compilations/7/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:21:00.000000');
INSERT INTO "event" VALUES(57,'compilation_completed',NULL,NULL,NULL,2,NULL,8,'{"project_name": "Best Clips <2025> & more", "thumbnail": "/projects/2/compilations/8/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:24:00.000000');
INSERT INTO "event" VALUES(58,'compilation_completed',NULL,NULL,NULL,6,NULL,9,'{"project_name": "\u05e1\u05e8\u05d8", "thumbnail": "/projects/6/compilations/9/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:27:00.000000');
INSERT INTO "event" VALUES(59,'compilation_completed',NULL,NULL,NULL,1,NULL,10,'{"project_name": "Highlight Reel", "thumbnail": "/projects/1/compilations/10/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:30:00.000000');
INSERT INTO "event" VALUES(60,'compilation_completed',NULL,NULL,NULL,2,NULL,11,'{"project_name": "Best Clips <2025> & more", "thumbnail": "/projects/2/compilations/11/thumbnail", "duration": 25.04, "size": 4194304}','2025-03-11 09:33:00.000000');
INSERT INTO "event" VALUES(61,'compilation_failed',NULL,NULL,NULL,2,NULL,12,'{"project_name": "Best Clips <2025> & more", "error": "The server''s disk is full. Delete what is not needed and try again."}','2025-03-11 09:36:00.000000');
INSERT INTO "event" VALUES(62,'compilation_failed',NULL,NULL,NULL,1,NULL,13,'{"project_name": "Highlight Reel", "error": "The server was interrupted repeatedly. Please try again."}','2025-03-11 09:39:00.000000');
INSERT INTO "event" VALUES(65,'project_unshared',2,NULL,2,2,NULL,NULL,'{"team_name": "Film & <Family>", "project_name": "Best Clips <2025> & more"}','2025-03-13 09:01:00.000000');
INSERT INTO "event" VALUES(69,'project_unshared',2,NULL,1,NULL,NULL,NULL,'{"team_name": "Video Squad", "project_name": "Doomed"}','2025-03-13 09:03:00.000000');
INSERT INTO "event" VALUES(72,'team_deleted',1,NULL,NULL,NULL,NULL,NULL,'{"team_name": "Older Crew"}','2025-03-13 09:04:00.000000');
INSERT INTO "event" VALUES(73,'custom',1,NULL,1,NULL,NULL,NULL,'{"team_name": "Video Squad", "title": "The nightly render is done", "priority": "low"}','2025-03-14 09:01:00.000000');
INSERT INTO "event" VALUES(74,'custom',1,NULL,1,NULL,NULL,NULL,'{"team_name": "Video Squad", "title": "Disk almost full", "priority": "high", "body": "97 % of /srv/media\nare used & <rising>.", "url": "https://render.example.com/42?a=1&b=2"}','2025-03-14 09:02:00.000000');
INSERT INTO "event" VALUES(75,'custom',2,NULL,1,NULL,NULL,NULL,'{"team_name": "Video Squad", "title": "For carol alone", "priority": "normal", "url": "/projects"}','2025-03-14 09:03:00.000000');
INSERT INTO "event" VALUES(76,'custom',1,NULL,NULL,1,NULL,NULL,'{"project_name": "Highlight Reel II", "title": "About the reel", "priority": "normal"}','2025-03-14 09:04:00.000000');
INSERT INTO "event" VALUES(77,'announcement',1,NULL,NULL,NULL,NULL,NULL,'{"title": "The server rests on Sunday from 8 to 9", "priority": "normal"}','2025-03-15 09:01:00.000000');
INSERT INTO "event" VALUES(78,'announcement',1,NULL,NULL,NULL,NULL,NULL,'{"title": "Change your passwords", "priority": "high", "body": "Today, please.", "url": "/account"}','2025-03-15 09:02:00.000000');
INSERT INTO "event" VALUES(83,'member_removed',1,NULL,1,NULL,NULL,NULL,'{"username": "Someone", "team_name": "Video Squad"}','2025-03-16 09:01:00.000000');
INSERT INTO "event" VALUES(87,'project_unshared',NULL,NULL,2,NULL,NULL,NULL,'{"team_name": "Film & <Family>", "project_name": "Frank''s"}','2025-03-16 09:02:00.000000');
INSERT INTO "event" VALUES(88,'member_left',NULL,NULL,2,NULL,NULL,NULL,'{"username": "Someone", "team_name": "Film & <Family>"}','2025-03-16 09:02:00.000000');
CREATE TABLE ingest_key (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	event_id INTEGER NOT NULL, 
	recipients INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_ingest_key PRIMARY KEY (id), 
	CONSTRAINT fk_ingest_key_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT uq_ingest_key_account_id UNIQUE (account_id, "key")
);
INSERT INTO "ingest_key" VALUES(1,1,'night-1',73,3,'2025-03-14 09:01:00.000000');
INSERT INTO "ingest_key" VALUES(2,1,'night-2',74,3,'2025-03-14 09:02:00.000000');
INSERT INTO "ingest_key" VALUES(3,2,'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk',1,0,'2099-01-01 00:00:00.000000');
CREATE TABLE invitation (
	id INTEGER NOT NULL, 
	team_id INTEGER NOT NULL, 
	inviter_id INTEGER, 
	email VARCHAR(254) NOT NULL, 
	email_key VARCHAR(254) NOT NULL, 
	role VARCHAR(8) NOT NULL, 
	status VARCHAR(8) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	answered_at DATETIME, 
	CONSTRAINT pk_invitation PRIMARY KEY (id), 
	CONSTRAINT fk_invitation_inviter_id_account FOREIGN KEY(inviter_id) REFERENCES account (id) ON DELETE SET NULL, 
	CONSTRAINT fk_invitation_team_id_team FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE CASCADE
);
INSERT INTO "invitation" VALUES(1,1,1,'bob@example.com','bob@example.com','editor','accepted','2025-03-04 09:01:00.000000','2025-03-11 09:01:00.000000','2025-03-04 09:02:00.000000');
INSERT INTO "invitation" VALUES(2,1,1,'frank@example.com','frank@example.com','viewer','accepted','2025-03-04 09:03:00.000000','2025-03-11 09:03:00.000000','2025-03-04 09:04:00.000000');
INSERT INTO "invitation" VALUES(3,1,1,'erin@example.com','erin@example.com','admin','declined','2025-03-04 09:05:00.000000','2025-03-11 09:05:00.000000','2025-03-04 09:06:00.000000');
INSERT INTO "invitation" VALUES(4,1,1,'newcomer@example.com','newcomer@example.com','viewer','pending','2025-03-05 09:01:00.000000','2099-01-01 00:00:00.000000',NULL);
INSERT INTO "invitation" VALUES(5,1,1,'late@example.com','late@example.com','editor','pending','2025-03-05 09:02:00.000000','2025-03-12 09:02:00.000000',NULL);
INSERT INTO "invitation" VALUES(6,1,1,'gone@example.com','gone@example.com','admin','revoked','2025-03-05 09:03:00.000000','2025-03-12 09:03:00.000000','2025-03-05 09:04:00.000000');
INSERT INTO "invitation" VALUES(7,1,1,'Again@Example.com','again@example.com','viewer','pending','2025-03-05 09:05:00.000000','2099-01-01 00:00:00.000000',NULL);
INSERT INTO "invitation" VALUES(8,1,1,'dave@example.com','dave@example.com','viewer','pending','2025-03-05 09:07:00.000000','2025-03-12 09:07:00.000000',NULL);
INSERT INTO "invitation" VALUES(9,2,2,'alice@example.com','alice@example.com','viewer','pending','2025-03-06 09:01:00.000000','2099-01-01 00:00:00.000000',NULL);
INSERT INTO "invitation" VALUES(10,2,2,'carol@example.com','carol@example.com','editor','pending','2025-03-06 09:02:00.000000','2025-03-13 09:02:00.000000',NULL);
INSERT INTO "invitation" VALUES(11,2,2,'erin@example.com','erin@example.com','viewer','revoked','2025-03-06 09:03:00.000000','2025-03-13 09:03:00.000000','2025-03-06 09:04:00.000000');
CREATE TABLE membership (
	team_id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	role VARCHAR(8) NOT NULL, 
	joined_at DATETIME NOT NULL, 
	CONSTRAINT pk_membership PRIMARY KEY (team_id, account_id), 
	CONSTRAINT fk_membership_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT fk_membership_team_id_team FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE CASCADE
);
INSERT INTO "membership" VALUES(1,1,'owner','2025-03-03 09:01:00.000000');
INSERT INTO "membership" VALUES(2,2,'owner','2025-03-03 09:02:00.000000');
INSERT INTO "membership" VALUES(4,1,'admin','2025-03-03 09:04:00.000000');
INSERT INTO "membership" VALUES(5,3,'owner','2025-03-03 09:05:00.000000');
INSERT INTO "membership" VALUES(1,2,'admin','2025-03-04 09:02:00.000000');
INSERT INTO "membership" VALUES(1,3,'editor','2025-03-04 09:07:00.000000');
INSERT INTO "membership" VALUES(2,7,'editor','2025-03-06 09:07:00.000000');
INSERT INTO "membership" VALUES(2,8,'viewer','2025-03-06 09:08:00.000000');
INSERT INTO "membership" VALUES(4,2,'owner','2025-03-06 09:10:00.000000');
CREATE TABLE mute (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	team_id INTEGER, 
	project_id INTEGER, 
	CONSTRAINT pk_mute PRIMARY KEY (id), 
	CONSTRAINT fk_mute_project_id_project FOREIGN KEY(project_id) REFERENCES project (id) ON DELETE CASCADE, 
	CONSTRAINT fk_mute_team_id_team FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE CASCADE, 
	CONSTRAINT fk_mute_user_id_account FOREIGN KEY(user_id) REFERENCES account (id) ON DELETE CASCADE
);
INSERT INTO "mute" VALUES(1,2,NULL,1);
INSERT INTO "mute" VALUES(2,2,1,NULL);
INSERT INTO "mute" VALUES(3,8,2,NULL);
INSERT INTO "mute" VALUES(4,1,NULL,2);
INSERT INTO "mute" VALUES(5,3,NULL,3);
INSERT INTO "mute" VALUES(6,5,NULL,2);
INSERT INTO "mute" VALUES(7,2,1,NULL);
INSERT INTO "mute" VALUES(8,2,NULL,1);
INSERT INTO "mute" VALUES(9,2,NULL,1);
CREATE TABLE notification (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	user_id INTEGER NOT NULL, 
	event_id INTEGER NOT NULL, 
	type VARCHAR(32) NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	read_at DATETIME, 
	deleted_at DATETIME, 
	deleted_in INTEGER, 
	CONSTRAINT fk_notification_event_id_event FOREIGN KEY(event_id) REFERENCES event (id) ON DELETE CASCADE, 
	CONSTRAINT fk_notification_user_id_account FOREIGN KEY(user_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT uq_notification_user_id UNIQUE (user_id, event_id)
);
INSERT INTO "notification" VALUES(1,2,6,'invitation_received',0,'2025-03-04 09:02:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(2,1,8,'member_added',0,'2025-03-20 09:11:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(3,2,8,'member_added',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(5,1,11,'member_added',0,'2025-03-20 09:11:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(6,2,11,'member_added',0,'2025-03-20 09:01:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(8,5,12,'invitation_received',0,'2025-03-04 09:06:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(9,1,14,'invitation_declined',0,'2025-03-20 09:11:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(10,2,15,'member_added',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(11,3,15,'member_added',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(13,2,16,'member_added',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(14,3,16,'member_added',0,'2025-03-20 09:09:00.000000','2025-03-20 09:10:00.000000',95);
INSERT INTO "notification" VALUES(16,7,16,'member_added',0,NULL,'2025-03-08 09:02:00.000000',0);
INSERT INTO "notification" VALUES(17,1,17,'invitation_received',0,'2025-03-20 09:11:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(18,3,18,'invitation_received',0,'2025-03-20 09:09:00.000000','2025-03-20 09:10:00.000000',95);
INSERT INTO "notification" VALUES(19,5,19,'invitation_received',0,NULL,'2025-03-06 09:04:00.000000',0);
INSERT INTO "notification" VALUES(21,5,22,'member_added',0,NULL,'2025-03-08 09:01:00.000000',0);
INSERT INTO "notification" VALUES(23,5,23,'member_added',0,NULL,'2025-03-08 09:01:00.000000',0);
INSERT INTO "notification" VALUES(25,7,23,'member_added',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(26,5,24,'member_added',0,NULL,'2025-03-08 09:01:00.000000',0);
INSERT INTO "notification" VALUES(28,7,24,'member_added',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(29,8,24,'member_added',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(30,2,25,'member_added',0,NULL,'2025-03-13 09:04:00.000000',0);
INSERT INTO "notification" VALUES(31,2,26,'member_added',0,'2025-03-20 09:01:00.000000','2025-03-20 09:03:00.000000',91);
INSERT INTO "notification" VALUES(32,2,27,'member_added',0,NULL,'2025-03-13 09:04:00.000000',0);
INSERT INTO "notification" VALUES(33,3,27,'member_added',0,NULL,'2025-03-13 09:04:00.000000',0);
INSERT INTO "notification" VALUES(34,2,28,'member_added',0,'2025-03-20 09:01:00.000000','2025-03-20 09:03:00.000000',91);
INSERT INTO "notification" VALUES(35,3,28,'member_added',0,NULL,'2025-03-08 09:03:00.000000',0);
INSERT INTO "notification" VALUES(36,2,29,'member_role_changed',1,'2025-03-20 09:08:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(37,3,29,'member_role_changed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(39,7,29,'member_role_changed',0,NULL,'2025-03-08 09:02:00.000000',0);
INSERT INTO "notification" VALUES(40,2,30,'member_role_changed',1,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(41,3,30,'member_role_changed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(43,7,30,'member_role_changed',0,NULL,'2025-03-08 09:02:00.000000',0);
INSERT INTO "notification" VALUES(44,2,31,'member_role_changed',1,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(45,3,31,'member_role_changed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(47,7,31,'member_role_changed',0,NULL,'2025-03-08 09:02:00.000000',0);
INSERT INTO "notification" VALUES(48,2,32,'member_role_changed',1,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(49,3,32,'member_role_changed',0,NULL,'2025-03-08 09:03:00.000000',0);
INSERT INTO "notification" VALUES(50,2,33,'team_updated',0,NULL,'2025-03-13 09:04:00.000000',0);
INSERT INTO "notification" VALUES(51,3,33,'team_updated',0,NULL,'2025-03-13 09:04:00.000000',0);
INSERT INTO "notification" VALUES(52,1,34,'team_updated',0,NULL,'2025-03-20 09:12:00.000000',97);
INSERT INTO "notification" VALUES(53,3,34,'team_updated',0,NULL,'2025-03-08 09:03:00.000000',0);
INSERT INTO "notification" VALUES(54,5,35,'team_updated',0,NULL,'2025-03-08 09:01:00.000000',0);
INSERT INTO "notification" VALUES(56,7,35,'team_updated',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(57,8,35,'team_updated',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(58,2,37,'member_left',0,'2025-03-20 09:01:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(60,7,37,'member_left',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(61,8,37,'member_left',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(62,7,39,'member_removed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(63,2,39,'member_removed',0,'2025-03-20 09:01:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(64,3,39,'member_removed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(66,3,41,'member_removed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(67,1,41,'member_removed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(68,2,42,'project_shared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(69,3,42,'project_shared',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(71,1,43,'project_shared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(72,3,43,'project_shared',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(75,7,44,'project_shared',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(76,8,44,'project_shared',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(77,1,45,'project_shared',0,NULL,'2025-03-13 09:03:00.000000',0);
INSERT INTO "notification" VALUES(78,3,45,'project_shared',0,NULL,'2025-03-13 09:03:00.000000',0);
INSERT INTO "notification" VALUES(80,2,46,'project_shared',0,NULL,'2025-03-16 09:02:00.000000',0);
INSERT INTO "notification" VALUES(81,7,46,'project_shared',0,NULL,'2025-03-16 09:02:00.000000',0);
INSERT INTO "notification" VALUES(82,8,46,'project_shared',0,NULL,'2025-03-16 09:02:00.000000',0);
INSERT INTO "notification" VALUES(83,1,47,'project_shared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(84,2,47,'project_shared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(86,2,48,'project_shared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(87,2,49,'project_shared',0,NULL,'2025-03-13 09:04:00.000000',0);
INSERT INTO "notification" VALUES(88,3,49,'project_shared',0,NULL,'2025-03-13 09:04:00.000000',0);
INSERT INTO "notification" VALUES(89,1,50,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(91,2,50,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(92,3,50,'compilation_completed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(99,1,51,'compilation_failed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(100,3,52,'compilation_failed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(101,2,53,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(102,1,53,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(104,3,53,'compilation_completed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(108,7,53,'compilation_completed',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(109,8,53,'compilation_completed',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(110,1,54,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(112,2,54,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(113,3,54,'compilation_completed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(120,1,55,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(122,2,55,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(123,3,55,'compilation_completed',0,'2025-03-20 09:09:00.000000',NULL,NULL);
INSERT INTO "notification" VALUES(130,1,56,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(132,2,56,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(133,3,56,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(140,2,57,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(141,1,57,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(143,3,57,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(147,7,57,'compilation_completed',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(148,8,57,'compilation_completed',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(149,3,58,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(150,1,58,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(151,2,58,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(154,1,59,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(156,2,59,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(157,3,59,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(164,2,60,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(165,1,60,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(167,3,60,'compilation_completed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(171,7,60,'compilation_completed',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(172,8,60,'compilation_completed',0,NULL,'2025-03-13 09:01:00.000000',0);
INSERT INTO "notification" VALUES(173,2,61,'compilation_failed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(174,1,62,'compilation_failed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(176,7,65,'project_unshared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(177,8,65,'project_unshared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(178,1,69,'project_unshared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(179,3,69,'project_unshared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(181,2,72,'team_deleted',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(182,3,72,'team_deleted',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(183,2,73,'custom',1,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(184,3,73,'custom',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(186,2,74,'custom',1,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(187,3,74,'custom',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(189,3,75,'custom',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(190,2,76,'custom',1,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(191,3,76,'custom',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(194,2,77,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(195,3,77,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(196,4,77,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(197,5,77,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(199,7,77,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(200,8,77,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(201,2,78,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(202,3,78,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(203,4,78,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(204,5,78,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(206,7,78,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(207,8,78,'announcement',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(209,2,83,'member_removed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(210,3,83,'member_removed',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(211,2,87,'project_unshared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(212,7,87,'project_unshared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(213,8,87,'project_unshared',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(214,2,88,'member_left',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(215,7,88,'member_left',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(216,8,88,'member_left',0,NULL,NULL,NULL);
CREATE TABLE preference (
	type VARCHAR(32) NOT NULL, 
	user_id INTEGER NOT NULL, 
	in_app BOOLEAN, 
	email BOOLEAN, 
	push BOOLEAN, 
	CONSTRAINT pk_preference PRIMARY KEY (type, user_id), 
	CONSTRAINT fk_preference_user_id_account FOREIGN KEY(user_id) REFERENCES account (id) ON DELETE CASCADE
);
INSERT INTO "preference" VALUES('invitation_received',2,NULL,NULL,NULL);
INSERT INTO "preference" VALUES('invitation_declined',2,NULL,NULL,0);
INSERT INTO "preference" VALUES('member_added',2,NULL,NULL,1);
INSERT INTO "preference" VALUES('member_removed',2,NULL,0,NULL);
INSERT INTO "preference" VALUES('member_left',2,NULL,0,0);
INSERT INTO "preference" VALUES('member_role_changed',2,NULL,0,1);
INSERT INTO "preference" VALUES('team_created',2,NULL,1,NULL);
INSERT INTO "preference" VALUES('team_updated',2,NULL,1,0);
INSERT INTO "preference" VALUES('team_deleted',2,NULL,1,1);
INSERT INTO "preference" VALUES('project_shared',2,0,NULL,NULL);
INSERT INTO "preference" VALUES('project_unshared',2,0,NULL,0);
INSERT INTO "preference" VALUES('compilation_completed',2,0,NULL,1);
INSERT INTO "preference" VALUES('compilation_failed',2,0,0,NULL);
INSERT INTO "preference" VALUES('custom',2,0,0,0);
INSERT INTO "preference" VALUES('announcement',2,0,0,1);
INSERT INTO "preference" VALUES('invitation_received',3,0,1,NULL);
INSERT INTO "preference" VALUES('invitation_declined',3,0,1,0);
INSERT INTO "preference" VALUES('member_added',3,0,1,1);
INSERT INTO "preference" VALUES('member_removed',3,1,NULL,NULL);
INSERT INTO "preference" VALUES('member_left',3,1,NULL,0);
INSERT INTO "preference" VALUES('member_role_changed',3,1,NULL,1);
INSERT INTO "preference" VALUES('team_created',3,1,0,NULL);
INSERT INTO "preference" VALUES('team_updated',3,1,0,0);
INSERT INTO "preference" VALUES('team_deleted',3,1,0,1);
INSERT INTO "preference" VALUES('project_shared',3,1,1,NULL);
INSERT INTO "preference" VALUES('project_unshared',3,1,1,0);
INSERT INTO "preference" VALUES('compilation_completed',3,1,1,1);
INSERT INTO "preference" VALUES('member_left',1,NULL,NULL,1);
INSERT INTO "preference" VALUES('project_shared',1,NULL,0,NULL);
CREATE TABLE project (
	id INTEGER NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	owner_id INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_project PRIMARY KEY (id), 
	CONSTRAINT fk_project_owner_id_account FOREIGN KEY(owner_id) REFERENCES account (id) ON DELETE CASCADE
);
INSERT INTO "project" VALUES(1,'Highlight Reel II',1,'2025-03-09 09:01:00.000000');
INSERT INTO "project" VALUES(2,'Best Clips <2025> & more',2,'2025-03-09 09:02:00.000000');
INSERT INTO "project" VALUES(3,'Private',3,'2025-03-09 09:03:00.000000');
INSERT INTO "project" VALUES(6,'סרט',3,'2025-03-09 09:06:00.000000');
CREATE TABLE push_subscription (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	session_id INTEGER, 
	endpoint VARCHAR(2048) NOT NULL, 
	endpoint_hash VARCHAR(64) NOT NULL, 
	p256dh VARCHAR(100) NOT NULL, 
	auth VARCHAR(32) NOT NULL, 
	vapid_key VARCHAR(100) NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	error VARCHAR, 
	failing_since DATETIME, 
	created_at DATETIME NOT NULL, 
	last_used_at DATETIME, refused_at DATETIME, 
	CONSTRAINT pk_push_subscription PRIMARY KEY (id), 
	CONSTRAINT fk_push_subscription_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT fk_push_subscription_session_id_web_session FOREIGN KEY(session_id) REFERENCES web_session (id) ON DELETE SET NULL, 
	CONSTRAINT uq_push_subscription_endpoint_hash UNIQUE (endpoint_hash)
);
INSERT INTO "push_subscription" VALUES(1,1,1,'https://fcm.googleapis.com/fcm/send/alice-1','87412ca7217164264e402948b7bb13395a6007d45c19c269a717beb1e428ddde','BFllQwvmimCGpeLyBKbwNDWdM_zg7RE54_ckBnSsUAWm97VD_xBV7KaLqQh6Lr42I6aGuNfCoTgLy5LQ97WR1-Q','h0EspyFxZCZOQClIt7sTOQ','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Chrome on macOS',NULL,NULL,'2025-03-02 09:01:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(2,2,2,'https://updates.push.services.mozilla.com/wpush/v2/bob-1','08b141439e425a08270cf2c9c34080fb230f08599f9d84cf6167a0b7fd353c22','BCaI3M-Uhwl_EJgCviqQM8KT-XqYqT8H0A8TW-WQtRnif9DBQ5bjP_s_XJ8jcPdjDPiLHDNR36_SFGyU6mGTYDI','CLFBQ55CWggnDPLJw0CA-w','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Firefox on Linux',NULL,NULL,'2025-03-02 09:02:00.000000','2025-03-26 09:01:00.000000',NULL);
INSERT INTO "push_subscription" VALUES(3,2,4,'https://web.push.apple.com/bob-2','6f6b380aaf76df192b0979a5537d85ee90e5cfad3c9b4a00e161c3fd6b891a87','BAzWLjRg9wcODfW9TT9nPZMTtgcqib0nqnN3mhSaoyixNJJeNJZchFjra-3Dcn4lfNLgBufubTMEzbKs9PI_4sk','b2s4Cq923xkrCXmlU32F7g','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Safari on iPhone','401 from web.push.apple.com','2025-03-26 09:01:00.000000','2025-03-02 09:03:00.000000',NULL,'2025-03-26 10:01:00.000000');
INSERT INTO "push_subscription" VALUES(4,3,3,'https://fcm.googleapis.com/fcm/send/carol-1','31fd9f4d5492c8889488593780dc4f94b7ece87ff81f16704bb17b99f45e1455','BDE0zZItwJ-NbUq5aVyLle4oNg8W-ls_SvribF4OHVseCSYMif_u8R2wz31xVbDmroELfpcBhqpJ1czJM3iX8N4','Mf2fTVSSyIiUiFk3gNxPlA','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Edge on Windows','This push service is not one of those that are allowed.','2025-03-26 09:01:00.000000','2025-03-02 09:04:00.000000',NULL,'2025-03-26 09:01:00.000000');
INSERT INTO "push_subscription" VALUES(5,3,NULL,'https://fcm.googleapis.com/fcm/send/carol-2','3bde62ddec3cf0aefbf8b4fe6cfedd96cfce6d2f9409ec7ef7437eb154eac431','BOd3dgqvuLkozbQ4SWBoOoyIApRzlRSuahjA4yFSWCHSMwH1pQ7J2kwzeNvrOezhfkt4SFVUso3S8E5l7VlAHsM','O95i3ew88K77-LT-bP7dlg','BPNLIUTx7wguyPUGUfS849BP3TdHrbK8wBn_E9XjTUXb8l0ND0dWc974ejwdzePgkrMF1bbGeH4zXvis9dUh92w','Chrome on Android',NULL,NULL,'2025-03-02 09:05:00.000000',NULL,'2025-03-03 00:00:00.000000');
INSERT INTO "push_subscription" VALUES(6,2,NULL,'https://fcm.googleapis.com/fcm/send/test-0','cafbe885e55793060030603d022cce1ce2ca8802d1fb50af1b3ea2bd7489f024','BIDsA3pmRQ-mxXujI4xJHI9I3J6cPTKxFHdyO7cYAy3Meyr0VG_-cgox8mtppA3pSBZFOFshGzLtJ0QI2BKY_Ds','yvvoheVXkwYAMGA9AizOHA','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Chrome on Linux',NULL,NULL,'2025-03-25 09:01:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(7,2,NULL,'https://fcm.googleapis.com/fcm/send/test-1','84715714c9cf100798036cbad23787dfc8802efda09372ed1a5e26823712431d','BKPigvULtG8ObMKz6JX1FcyirmPZ3xJZPsI7KD_rBMN_-jefmsSOGN4t1NowcWZJbkH5Ty9xE6Uz1_f1k3qlev8','hHFXFMnPEAeYA2y60jeH3w','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Chrome on Linux 2',NULL,NULL,'2025-03-25 09:02:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(8,2,NULL,'https://fcm.googleapis.com/fcm/send/test-2','cdb40234ce7d2c17bc725400615645b2995ee4f34a767022b6bc51667f9eeeff','BJIAZyf1jYbr-x9n9XsLmkYlMcz0L3o4C42mKLJpYSPa07b5v7E4XREqmURgOBH_TVWJDxQSxbVlwsNSEKAot_g','zbQCNM59LBe8clQAYVZFsg','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Edge on Windows',NULL,NULL,'2025-03-25 09:03:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(9,2,NULL,'https://fcm.googleapis.com/fcm/send/test-3','2972f9e9abdc0841cd9dbc0dc5354696684b72236bbc355637fe55c326793b9d','BJEN9ErOeV12lu26B7tOF6jHfkoxkHLH1lZiLwlOxqv0HL0ShoPX2pzz5_2W7mt1no-Yk474XFjNhi-XZX58wDQ','KXL56avcCEHNnbwNxTVGlg','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Opera on Windows',NULL,NULL,'2025-03-25 09:04:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(10,2,NULL,'https://fcm.googleapis.com/fcm/send/test-4','f48dee4e7874a2bf2108fa5ea8070c88a67dc4c60d1d6ebdd5b1a974e98e5159','BIjxE-wWwt6T2flyiqfHOpICCMcriII3HIlyxgAUAQRr9wvJsSsMZlTqurAFYjjcu53-8AOwzu4NeLNNLVu2Zmw','9I3uTnh0or8hCPpeqAcMiA','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Firefox on Android',NULL,NULL,'2025-03-25 09:05:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(11,2,NULL,'https://fcm.googleapis.com/fcm/send/test-5','8b104d56321545b2c387676aa63af01fa68ca76ffb7bb818539267389ca2c1ce','BKy1Kaw-ue9c62mziX-5O1EhTjfIlqU2JQasjxhUPaSaEQEIUZmWftGXVvGbxcTlE1ggneXNICjJGdSQWmHKbfE','ixBNVjIVRbLDh2dqpjrwHw','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Firefox on macOS',NULL,NULL,'2025-03-25 09:06:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(12,2,NULL,'https://fcm.googleapis.com/fcm/send/test-6','22c9abe1f821117e36ecea8aa8f89ec9080ab2c322e8ab70e60bb387fc092d50','BIx0yda379k7RPJ4COk-m5EoRPEPmlktuELneVogpFaUIKuQT3OoZcHHAMxwLOJL1ykzns6H6xG7vLzCnV71TUo','Ismr4fghEX427OqKqPieyQ','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Safari on iPad',NULL,NULL,'2025-03-25 09:07:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(13,2,NULL,'https://fcm.googleapis.com/fcm/send/test-7','9b7cf2b0a53e2132b5ecd8aef749997c653ea44f2ebd5278e81d1f118ea556c8','BGwOGOu9xtwVHBzrOVC2zg-zWGZjANtXdC1GjZ56kT-u1do0nzGolx5WNcqMZiIF7TKoNXA3FNGZMZT0w9ZXXzM','m3zysKU-ITK17Niu90mZfA','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Safari on macOS',NULL,NULL,'2025-03-25 09:08:00.000000',NULL,NULL);
INSERT INTO "push_subscription" VALUES(14,2,NULL,'https://fcm.googleapis.com/fcm/send/test-8','668bf723aec51caf9ada389341f13571b18ad94299e7cc5f4ac12a3a625da20d','BHczsJ5dWhhoLDuK_8LKmaHYFVBP8pR2abkB6vSrE4NNIuQq7xKuynybd4hrCHxKs9eBKtMZHZiOHC8mgkurQJE','Zov3I67FHK-a2jiTQfE1cQ','BECs63WtOLiwBKvS5D4yBCXHiNkC_oaTcKheafUSvNTD9ITCP5f9Gn65m-F1ayGwhOKE1RQDUxjgla74upxP5Mg','Chrome on ChromeOS',NULL,NULL,'2025-03-25 09:09:00.000000',NULL,NULL);
CREATE TABLE removed_device (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	endpoint_hash VARCHAR(64) NOT NULL, 
	removed_at DATETIME NOT NULL, 
	CONSTRAINT pk_removed_device PRIMARY KEY (id), 
	CONSTRAINT fk_removed_device_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT uq_removed_device_account_id UNIQUE (account_id, endpoint_hash)
);
INSERT INTO "removed_device" VALUES(1,1,'82ec4c6c75b79dd78dd0e6b1d799eb32e40bc94c9d292c5cc2206be81b700347','2025-03-26 10:03:00.000000');
INSERT INTO "removed_device" VALUES(2,2,'455daec07f0652f9c31381366577cfc95f256bd6e0a4d8457d873aa5c00b530e','2025-03-26 10:05:00.000000');
CREATE TABLE share (
	project_id INTEGER NOT NULL, 
	team_id INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_share PRIMARY KEY (project_id, team_id), 
	CONSTRAINT fk_share_project_id_project FOREIGN KEY(project_id) REFERENCES project (id) ON DELETE CASCADE, 
	CONSTRAINT fk_share_team_id_team FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE CASCADE
);
INSERT INTO "share" VALUES(1,1,'2025-03-09 09:07:00.000000');
INSERT INTO "share" VALUES(2,1,'2025-03-09 09:08:00.000000');
INSERT INTO "share" VALUES(6,1,'2025-03-09 09:12:00.000000');
INSERT INTO "share" VALUES(1,4,'2025-03-09 09:13:00.000000');
CREATE TABLE team (
	id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_team PRIMARY KEY (id)
);
INSERT INTO "team" VALUES(1,'Video Squad','2025-03-03 09:01:00.000000');
INSERT INTO "team" VALUES(2,'Film & <Family>','2025-03-03 09:02:00.000000');
INSERT INTO "team" VALUES(4,'צוות וידאו 2','2025-03-03 09:04:00.000000');
INSERT INTO "team" VALUES(5,'Carol alone','2025-03-03 09:05:00.000000');
CREATE TABLE throttle (
	"key" VARCHAR(200) NOT NULL, 
	count INTEGER NOT NULL, 
	resets_at DATETIME NOT NULL, 
	CONSTRAINT pk_throttle PRIMARY KEY ("key")
);
INSERT INTO "throttle" VALUES('login:bob',3,'2099-01-01 00:00:00.000000');
INSERT INTO "throttle" VALUES('push-test:2',10,'2025-03-29 09:00:00.000000');
INSERT INTO "throttle" VALUES('ingest:1',1,'2025-03-29 09:00:00.000000');
INSERT INTO "throttle" VALUES('forgot-from:2001:db8::1',21,'2099-01-01 00:00:00.000000');
CREATE TABLE token (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	scope VARCHAR(5) NOT NULL, 
	created_at DATETIME NOT NULL, 
	last_used_at DATETIME, 
	CONSTRAINT pk_token PRIMARY KEY (id), 
	CONSTRAINT fk_token_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT uq_token_token_hash UNIQUE (token_hash)
);
INSERT INTO "token" VALUES(1,1,'Backup script','4ac262a15217e8d2bb92f760280020e53bf488e61e342085c37552e9aa922bae','read','2025-03-01 09:08:00.000000','2025-03-20 04:00:00.000000');
INSERT INTO "token" VALUES(2,1,'CI','e89cbc6982400688f34dc231aa0817ce19ca998063b20907b34af28802bce2f1','write','2025-03-01 09:08:00.000000',NULL);
INSERT INTO "token" VALUES(3,2,'Render farm','a6e1d3e471e3723a2dc48958a8755f0aac71bfb0404726e58321e9a642b5f16b','write','2025-03-01 09:08:00.000000','2025-03-21 05:00:00.000000');
INSERT INTO "token" VALUES(4,3,'carol''s reader','15b2b33c9a7f23ba15fa3be7152b1bce990d821c35b886ad7d25ca6ad1b0f76a','read','2025-03-01 09:08:00.000000','2099-01-01 00:00:00.000000');
CREATE TABLE web_session (
	id INTEGER NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	account_id INTEGER NOT NULL, 
	user_agent VARCHAR(300) NOT NULL, 
	created_at DATETIME NOT NULL, 
	last_seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_web_session PRIMARY KEY (id), 
	CONSTRAINT fk_web_session_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	CONSTRAINT uq_web_session_token_hash UNIQUE (token_hash)
);
INSERT INTO "web_session" VALUES(1,'f19626ae02c63e6de1eef1364f1ddb8461fd50012bbc451c58ec39fe08710d9d',1,'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0','2099-01-01 00:00:00.000000','2099-01-01 00:00:00.000000');
INSERT INTO "web_session" VALUES(2,'182ad5ad400368080c985f6841ebdccd5a20978f15e3469ebf2acff95b1fe5d2',2,'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0','2099-01-01 00:00:00.000000','2099-01-01 00:00:00.000000');
INSERT INTO "web_session" VALUES(3,'068efa66f84f5bc4e2303ca0d93b35f33087d00471f82e07247f5e087247e9d8',3,'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0','2099-01-01 00:00:00.000000','2099-01-01 00:00:00.000000');
INSERT INTO "web_session" VALUES(4,'11cba62a1533e513c2e6d3d033cdc0bd3c05302a834f21236b996846e2bd5ee1',2,'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1','2099-01-01 00:00:00.000000','2099-01-01 00:00:00.000000');
INSERT INTO "web_session" VALUES(5,'c79843480bfa6096c02f13702d5d188788e1b11c91b93390cbe7573a49ae782e',1,'','2025-02-01 08:00:00.000000','2025-02-01 08:00:00.000000');
CREATE INDEX ix_account_digest_due_at ON account (digest_due_at);
CREATE INDEX ix_clean_up_finished_at ON clean_up (finished_at);
CREATE INDEX ix_throttle_resets_at ON throttle (resets_at);
CREATE INDEX ix_change_created_at ON change (created_at);
CREATE INDEX ix_change_user ON change (user_id, id);
CREATE INDEX ix_ingest_key_created_at ON ingest_key (created_at);
CREATE INDEX ix_invitation_email_key ON invitation (email_key);
CREATE INDEX ix_invitation_inviter_id ON invitation (inviter_id);
CREATE INDEX ix_invitation_team_id ON invitation (team_id);
CREATE UNIQUE INDEX uq_invitation_pending ON invitation (team_id, email_key) WHERE status = 'pending';
CREATE INDEX ix_membership_account_id ON membership (account_id);
CREATE UNIQUE INDEX uq_membership_owner ON membership (team_id) WHERE role = 'owner';
CREATE INDEX ix_preference_user_id ON preference (user_id);
CREATE INDEX ix_project_owner_id ON project (owner_id);
CREATE INDEX ix_token_account_id ON token (account_id);
CREATE INDEX ix_web_session_account_id ON web_session (account_id);
CREATE INDEX ix_clip_project_id ON clip (project_id);
CREATE INDEX ix_clip_uploader_id ON clip (uploader_id);
CREATE INDEX ix_compilation_project_id ON compilation (project_id);
CREATE INDEX ix_compilation_requested_by_id ON compilation (requested_by_id);
CREATE UNIQUE INDEX uq_compilation_unfinished ON compilation (project_id) WHERE status IN ('queued', 'running');
CREATE INDEX ix_mute_user_id ON mute (user_id);
CREATE INDEX uq_mute_project ON mute (project_id, user_id) WHERE project_id IS NOT NULL;
CREATE INDEX uq_mute_team ON mute (team_id, user_id) WHERE team_id IS NOT NULL;
CREATE INDEX ix_push_subscription_account_id ON push_subscription (account_id);
CREATE INDEX ix_push_subscription_session_id ON push_subscription (session_id);
CREATE INDEX ix_share_team_id ON share (team_id);
CREATE INDEX ix_event_actor_id ON event (actor_id);
CREATE INDEX ix_event_affected_id ON event (affected_id);
CREATE INDEX ix_event_compilation_id ON event (compilation_id);
CREATE INDEX ix_event_created_at ON event (created_at);
CREATE INDEX ix_event_invitation_id ON event (invitation_id);
CREATE INDEX ix_event_project_id ON event (project_id);
CREATE INDEX ix_event_team_id ON event (team_id);
CREATE INDEX ix_notification_deleted_at ON notification (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX ix_notification_deleted_in ON notification (deleted_in) WHERE deleted_in IS NOT NULL;
CREATE INDEX ix_notification_event_id ON notification (event_id);
CREATE INDEX ix_notification_read_at ON notification (read_at) WHERE read_at IS NOT NULL;
CREATE INDEX ix_notification_shown ON notification (user_id, event_id) WHERE deleted_at IS NULL AND NOT hidden;
CREATE INDEX ix_notification_type ON notification (user_id, type, event_id) WHERE deleted_at IS NULL AND NOT hidden;
CREATE INDEX ix_notification_unread ON notification (user_id, event_id) WHERE read_at IS NULL AND deleted_at IS NULL AND NOT hidden;
CREATE INDEX ix_delivery_bundle ON delivery (bundle_id, due_at) WHERE state = 'pending';
CREATE INDEX ix_delivery_claimed ON delivery (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX ix_delivery_due ON delivery (channel, due_at) WHERE state = 'pending';
CREATE INDEX ix_delivery_held ON delivery (channel) WHERE state = 'pending' AND reason = 'outage';
CREATE INDEX ix_delivery_letter ON delivery (settled_at) WHERE notification_id IS NULL;
CREATE INDEX ix_delivery_loose ON delivery (user_id) WHERE state = 'pending' AND bundle_id IS NULL;
CREATE INDEX ix_delivery_lost ON delivery (settled_at) WHERE state IN ('failed', 'dead');
CREATE INDEX ix_delivery_settled ON delivery (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX ix_delivery_subscription_id ON delivery (subscription_id);
CREATE INDEX ix_delivery_user_id ON delivery (user_id);
CREATE INDEX ix_delivery_broken ON delivery (channel, attempts) WHERE state = 'pending' AND claimed_by IS NOT NULL AND attempts > 1;
CREATE INDEX ix_removed_device_removed_at ON removed_device (removed_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('change',97);
INSERT INTO "sqlite_sequence" VALUES('notification',216);
COMMIT;
